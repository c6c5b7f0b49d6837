"""Classes that run a bundle's programs, with the photos and the variables on the device."""

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from bundle import TRAINING, Bundle, Program, State
from plan import PhotoOrder

# The random draws of a step depend on its number. With seed s, the numbers begin at s times this constant. A run has
# fewer steps than this constant, so runs with different seeds have different random draws.
_DRAWS_OF_A_SEED = 10_000_000


class StepLoop:
    """Runs many steps of a training program in one dispatch.

    Args:
        program: a program whose results are scalars.
        learning_rates: the full value of each learning rate, by the name of its variable. A step uses a fraction of
            this value.
        replaced: values that the program reads instead of the state's, by the name of the variable.
    """

    def __init__(self, program: Program, learning_rates: dict[str, float], replaced: State | None = None):
        self.program, self._learning_rates, self._replaced = program, learning_rates, replaced or {}
        self.takes_photos = "photos" in program.arguments
        self._take_steps = jax.jit(self._scan, donate_argnums=0)

    def __call__(self, state: State, photos: jax.Array, inputs: dict[str, np.ndarray]) -> tuple[State, jax.Array]:
        """Runs steps.

        Args:
            state: all variables. The memory of the variables that the program writes is reused.
            photos: all photos, uint8 [photo, width, width, rgb].
            inputs: arrays by name. "step", int64 [step], has the numbers of the steps. "share", float32 [step], has the
                fraction of the full learning rates that each step uses. If the program takes photos, "rows", int32
                [step, batch], has the indices of the photos.

        Returns:
            (the new state, the program's results, float32 [step, result]).
        """
        written = {name: state[name] for name in self.program.writes}
        values = state | self._replaced
        fixed = {name: values[name] for name in self.program.reads if name not in written}
        written, report = self._take_steps(written, fixed, photos, inputs)
        return state | written, report

    def _scan(self, written: State, fixed: State, photos: jax.Array, inputs: State) -> tuple[State, jax.Array]:
        def step(written: State, each: State) -> tuple[State, jax.Array]:
            rates = {name: (each["share"] * rate).astype(jnp.float32) for name, rate in self._learning_rates.items()}
            batch = [photos[each["rows"]]] if self.takes_photos else []
            results, written = self.program(written | fixed | rates, *batch, each["step"])
            return written, jnp.stack([results[name] for name in self.program.results])

        return jax.lax.scan(step, written, inputs)


class Engine:
    """Compiles a bundle's programs and runs them.

    Args:
        bundle: the bundle.
        precision: precision of the convolutions.
        chunk: number of steps in one dispatch.
        seed: seed of the initial variables, of the order of the photos and of the random draws.
        bootstrapped: whether the background loss uses the bootstrap's segmenter, in round 1 too.

    Attributes:
        state: the variables.
        photos: see `Bundle.photos`.
        seconds_a_step: measured seconds per step, by the name of the training program.
    """

    def __init__(self, bundle: Bundle, precision: str, chunk: int, seed: int, *, bootstrapped: bool = False):
        config: dict[str, Any] = bundle.manifest["config"]
        self._bundle, self._seed, self.chunk, self.batch_size = bundle, seed, chunk, config["batch_size"]
        self.photos = bundle.photos()
        self.begin()
        self._train_photos = jax.device_put(self.photos["train"], jax.devices()[0])
        self._order = PhotoOrder(len(self._train_photos), self.batch_size, seed)
        rates = {name: config["gan"][f"{key}_learning_rate"] for key, name in bundle.manifest["learning_rates"].items()}
        programs = [bundle.program(name, precision) for name in TRAINING]
        self._loops = {p.name: StepLoop(p, rates if p.name.startswith("gan") else {}) for p in programs}
        if bootstrapped:
            later = StepLoop(bundle.program("gan_later", precision), rates, bundle.bootstrap())
            self._loops |= {"gan_first": later, "gan_later": later}
        others = (bundle.program(name, precision) for name in ("synthesize", "cross", "predict"))
        self._synthesize, self._cross, self._predict = others
        with ThreadPoolExecutor() as pool:  # compiles all programs at the same time
            jobs: list[Future] = [pool.submit(self._seconds_a_step, loop) for loop in set(self._loops.values())]
            jobs += [pool.submit(function, 0) for function in (self.synthesize, self.crossed_masks)]
            jobs += [pool.submit(self.predict, self.photos["test_images"])]
        for job in jobs:
            job.result()
        self.seconds_a_step = {name: self._seconds_a_step(loop) for name, loop in self._loops.items()}

    def begin(self) -> None:
        """Sets the variables to their initial values."""
        self.state = self._bundle.initial_state(self._seed)

    def results(self, name: str) -> list[str]:
        """Returns the names of the values that a step of a training program reports."""
        return self._loops[name].program.results

    def take_steps(self, name: str, first_step: int, shares: list[float]) -> jax.Array:
        """Starts steps of a training program. Returns before they are done.

        Args:
            name: the program's name.
            first_step: the number of the first step. It determines the photos and the random draws.
            shares: the fraction of the full learning rates that each step uses.

        Returns:
            float32 [step, result], see `results`.
        """
        inputs = self._inputs(self._loops[name], first_step, shares)
        self.state, report = self._loops[name](self.state, self._train_photos, inputs)
        return report

    def synthesize(self, step: int) -> dict[str, np.ndarray]:
        """Returns the layers that the averaged generators paint. Each is float32 [batch, height, width, channel]."""
        layers, _ = self._synthesize(self.state, np.int64(step))
        return {name: np.asarray(value) for name, value in layers.items()}

    def crossed_masks(self, step: int) -> np.ndarray:
        """Returns the same masks as `gan_figures.crossed_masks`, float32 [code, z, height, width]."""
        return np.asarray(self._cross(self.state, np.int64(step))[0]["mask"])

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Returns the averaged segmenter's foreground probability, float32 [image, height, width].

        Args:
            images: uint8 [image, height, width, rgb].
        """
        size, found = self._predict.arguments["images"][1][0], []
        for start in range(0, len(images), size):
            batch = images[start : start + size]
            filled = np.concatenate([batch, batch[-1:].repeat(size - len(batch), 0)])
            found.append(np.asarray(self._predict(self.state, filled)[0]["probability"])[: len(batch)])
        return np.concatenate(found)

    def _inputs(self, loop: StepLoop, first_step: int, shares: list[float]) -> dict[str, np.ndarray]:
        steps = np.arange(first_step, first_step + len(shares), dtype=np.int64)
        inputs: dict[str, np.ndarray] = {"share": np.array(shares, np.float32)}
        inputs["step"] = self._seed * _DRAWS_OF_A_SEED + steps
        return inputs | ({"rows": self._order.rows(first_step, len(shares))} if loop.takes_photos else {})

    def _seconds_a_step(self, loop: StepLoop) -> float:
        """Times a chunk of steps on copies of the variables. The first call for a program also compiles it."""
        inputs = self._inputs(loop, 0, [1.0] * self.chunk)
        copies = jax.device_put(self.state, jax.devices()[0], may_alias=False)
        start = time.monotonic()
        loop(copies, self._train_photos, inputs)[1].block_until_ready()
        seconds = (time.monotonic() - start) / self.chunk
        speed, work = self.batch_size / seconds, loop.program.gflop / seconds / 1e3
        logging.info("%s: %.2f ms a step, %.0f images/s, %.1f TFLOP/s", loop.program.name, 1e3 * seconds, speed, work)
        return seconds
