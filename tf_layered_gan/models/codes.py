"""The latent codes and their priors (paper, Sec. 3.2 and appendix A)."""

import tensorflow as tf


def c_sup_dim(prior: str, num_categories: int, group_size: int) -> int:
    """Returns the number of components of c_sup. See `sample_codes` for the arguments."""
    return num_categories // group_size if prior == "categorical" else num_categories


def sample_codes(
    batch_size: int,
    seed: tf.Tensor,
    *,
    z_dim: int,
    public_z: bool,
    prior: str = "categorical",
    num_categories: int,
    group_size: int,
    in_pairs: bool = False,
) -> dict[str, tf.Tensor]:
    """Draws z ~ N(0, 1)^d_z and c ~ Cat(d_c) or N(0, 1)^d_c, and derives c_sup from c.

    A categorical c_sup is the group of c: `group_size` consecutive categories form one group. A normal c has no groups,
    so c_sup is c itself, and E_pi predicts all of c from the mask. The paper compares the two priors (Table 2), but
    does not define c_sup for the normal prior.

    Args:
        batch_size: number of draws.
        seed: int32 or int64 [2], the only source of randomness.
        z_dim: dimension d_z of the public code.
        public_z: whether both generators share z, as in the paper. If not, the foreground generator gets a separate
            "foreground_z", so that the foreground is independent of the background.
        prior: prior of the private code c, "categorical" or "normal".
        num_categories: d_c, the number of categories of c, or the dimension of c if the prior is normal.
        group_size: number of categories in a group; unused if the prior is normal.
        in_pairs: whether the draws 2i and 2i + 1 have the same c, but different z. If True, the batch size must be
            even.

    Returns:
        dict of float32 tensors: "z" and "foreground_z" [batch, z_dim], "c" [batch, num_categories] and "c_sup" [batch,
        c_sup_dim(...)]. "c" and "c_sup" are one-hot if the prior is categorical.
    """
    z_seed, foreground_z_seed, c_seed = tf.unstack(tf.random.split(seed, 3))
    z = tf.random.stateless_normal([batch_size, z_dim], z_seed)
    codes = {
        "z": z,
        "foreground_z": z if public_z else tf.random.stateless_normal([batch_size, z_dim], foreground_z_seed),
    }
    copies = 2 if in_pairs else 1
    if prior == "normal":
        c = tf.random.stateless_normal([batch_size // copies, num_categories], c_seed)
        c = tf.repeat(c, copies, axis=0)
        return codes | {"c_sup": c, "c": c}
    c = tf.random.stateless_uniform([batch_size // copies], c_seed, maxval=num_categories, dtype=tf.int32)
    c = tf.repeat(c, copies)
    return codes | {
        "c_sup": tf.one_hot(c // group_size, num_categories // group_size),
        "c": tf.one_hot(c, num_categories),
    }
