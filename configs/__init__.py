"""The configs that the package ships: each file names its command, its time and the IoU to expect."""
