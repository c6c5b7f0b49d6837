"""A script for one of two workers, which connect but do not train. TF_CONFIG has the index of the worker."""

import json
import os
import signal

from configs import shapes
from tf_layered_gan.training.devices import distribution, workers


def main():
    me = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    config = shapes.get_config()
    config.distribution = "multi_worker"
    strategy = distribution.build_strategy(config)
    workers.check_agreement(strategy, {"seed": 3, "step": 5})
    for facts in ({"seed": 3, "step": 5 + me}, {"seed": 3, **({"new": 1} if me else {})}):
        try:
            workers.check_agreement(strategy, facts)
        except ValueError as error:
            print(error, flush=True)
    with workers.chief_first(strategy):
        print(f"worker {me} is here", flush=True)
    with workers.lost_workers_named(strategy):
        if me == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        workers.wait_for_all(strategy)


if __name__ == "__main__":
    main()
