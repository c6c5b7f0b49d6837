"""The latent codes and their priors (paper, Sec. 3.2 and appendix A)."""

import tensorflow as tf


def super_category(c, group_size):
    """Maps categories to super-categories: `group_size` consecutive categories share one.

    Args:
        c: int [batch], categories.
        group_size: categories in a super-category.

    Returns:
        int [batch], c_sup.
    """
    return c // group_size


def c_sup_dim(prior, num_categories, group_size):
    """Counts the components of c_sup.

    Args:
        prior, num_categories, group_size: see `sample_codes`.

    Returns:
        int.
    """
    return num_categories // group_size if prior == "categorical" else num_categories


def sample_codes(batch_size, seed, *, z_dim, public_z, prior="categorical", num_categories, group_size):
    """Draws z ~ N(0, 1)^d_z and c ~ Cat(d_c) or N(0, 1)^d_c, and derives c_sup from c.

    A normal c has no groups: c_sup is c itself, so that E_pi reads off the mask all that E_x reads off the picture. The
    paper, which compares the two priors (Table 2), does not say how it has it.

    Args:
        batch_size: number of draws.
        seed: int [2], the only source of randomness.
        z_dim: dimension d_z of the public code.
        public_z: whether z is public, shared by both generators, as in the paper. Otherwise the foreground's is drawn
            apart, so that the foreground cannot know its background.
        prior: of the private code, "categorical" or "normal".
        num_categories: number d_c of categories of the private code; its dimension, where the prior is normal.
        group_size: categories in a super-category; of no meaning where the prior is normal.

    Returns:
        dict of float32 tensors: "z" and "foreground_z" [batch, z_dim]; "c" [batch, num_categories] and "c_sup" [batch,
        c_sup_dim(...)], one-hot where the prior is categorical.
    """
    z_seed, foreground_z_seed, c_seed = tf.unstack(tf.random.split(seed, 3))
    z = tf.random.stateless_normal([batch_size, z_dim], z_seed)
    codes = {
        "z": z,
        "foreground_z": z if public_z else tf.random.stateless_normal([batch_size, z_dim], foreground_z_seed),
    }
    if prior == "normal":
        c = tf.random.stateless_normal([batch_size, num_categories], c_seed)
        return codes | {"c_sup": c, "c": c}
    c = tf.random.stateless_uniform([batch_size], c_seed, maxval=num_categories, dtype=tf.int32)
    return codes | {
        "c_sup": tf.one_hot(super_category(c, group_size), num_categories // group_size),
        "c": tf.one_hot(c, num_categories),
    }
