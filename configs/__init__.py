"""The configs that the package ships. Each file states its command, its time and the IoU to expect."""
