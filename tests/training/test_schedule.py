from tf_layered_gan.training.schedule import Phase, learning_rate_share, phases


def test_rounds_alternate_and_the_final_segmenter_comes_last():
    # N_gan = 10 and N_seg = 3, twice; then 5 more steps of the segmenter, counted by themselves.
    assert phases(rounds=2, gan_steps_per_round=10, segmenter_steps_per_round=3, final_segmenter_steps=5) == [
        Phase("gan", 1, 10),
        Phase("segmenter", 1, 3),
        Phase("gan", 2, 20),
        Phase("segmenter", 2, 6),
        Phase("final", 2, 5),
    ]


def test_one_round_without_final_steps():
    assert phases(rounds=1, gan_steps_per_round=4, segmenter_steps_per_round=2, final_segmenter_steps=0) == [
        Phase("gan", 1, 4),
        Phase("segmenter", 1, 2),
    ]


def test_learning_rates_fall_linearly_in_the_last_steps():
    shares = [learning_rate_share(step, steps=10, annealed_steps=4) for step in range(1, 11)]
    assert shares == [1, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25]


def test_without_annealed_steps_learning_rates_stay():
    assert {learning_rate_share(step, steps=10, annealed_steps=0) for step in range(1, 11)} == {1}


def test_names():
    assert [Phase("segmenter", 3, 1).name, Phase("final", 3, 1).name] == ["round 3", "round 3, final"]
