"""The note on components: what virtual users leave out is told, what they play is not."""

import pytest

from harness.probes.contract.components import check_components, noted


@pytest.mark.parametrize("names", [[], ["streamlit_autorefresh.st_autorefresh"]])
def test_nothing_is_noted_of_what_virtual_users_play(names: list[str]) -> None:
    assert noted(names) == []


def test_components_are_named_in_a_check_that_passes() -> None:
    note = noted(["b.chart", "a.lottie", "streamlit_autorefresh.st_autorefresh"])
    assert [(one.operation, one.passed) for one in note] == [("page", True)]
    assert "the scripts of a.lottie, b.chart: what these send is not in the load" in note[0].text


def test_nothing_is_noted_where_the_targets_own_streamlit_is_not_known() -> None:
    assert check_components("http://127.0.0.1:1", seed=1, site=None) == []
