import threading
import time
from multiprocessing.pool import ThreadPool

from tf_layered_gan.data.folder.budget import Budget


def test_what_threads_hold_together_is_bounded():
    budget, most, lock, together = Budget(10), 0, threading.Lock(), []

    def take(number):
        nonlocal most
        with budget.reserved(number):
            with lock:
                together.append(number)
                most = max(most, sum(together))
            time.sleep(0.001)
            with lock:
                together.remove(number)

    with ThreadPool(8) as pool:
        pool.map(take, [1, 2, 3, 4, 5, 6, 7, 8] * 3)
    assert 8 < most <= 10
    with budget.reserved(1000):  # 1000 is more than the budget of 10, so this waits until the whole budget is free
        pass
