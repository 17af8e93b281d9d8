"""The second way to how late the model was: streamed answers, and those asked for in one piece."""

import numpy as np
import pytest

from reports.verify.model_pace import Pace

PACE = Pace(seed=1, ttft_s=0.3, sigma=0.0, itl_s=0.02)


def test_a_token_is_due_by_its_place_and_an_answer_in_one_piece_with_its_last() -> None:
    streamed, nothing, whole, cut = [0.3, 0.32, 0.345], list[float](), [0.342, 0.342, 0.342], [0.31]
    lengths = np.array([len(one) for one in (streamed, nothing, whole, cut)])
    emitted = np.array([*streamed, *nothing, *whole, *cut])
    late, rows = PACE.late(["a", "b", "c", "d"], np.array([10.0, 10.0, 20.0, 30.0]), emitted, lengths)
    assert rows.tolist() == [0, 0, 0, 2, 2, 2, 3]
    assert late.tolist() == pytest.approx([0.0, 0.0, 0.005, 0.002, 0.002, 0.002, 0.01])
