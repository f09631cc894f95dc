"""What work costs the processor, whoever else is on the machine."""

import time


def growth(work, text, parts=8):
    """How many times what `work` takes for a part of the text it takes for the whole: `parts` when it is linear in its length."""
    small = text[: len(text) // parts]
    return min(_seconds(work, text) for _ in range(3)) / max(min(_seconds(work, small) for _ in range(9)), 1e-6)


def _seconds(work, text):
    begun = time.thread_time()
    work(text)
    return time.thread_time() - begun
