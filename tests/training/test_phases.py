from tf_layered_gan.training.phases import learning_rate_share


def test_learning_rates_fall_linearly_in_the_last_steps():
    shares = [learning_rate_share(step, steps=10, annealed_steps=4) for step in range(1, 11)]
    assert shares == [1, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25]


def test_without_annealed_steps_learning_rates_stay():
    assert {learning_rate_share(step, steps=10, annealed_steps=0) for step in range(1, 11)} == {1}
