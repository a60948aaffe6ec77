"""Where a run stands is known after every round: the pair that is slowest, its period and penalty, a verdict."""

import numpy as np

from gridbazaar.market import Phase


def test_the_slowest_pair_is_the_one_that_disagrees_most(ieee33_bazaar, open_market):
    market = open_market(ieee33_bazaar(), method="plain")
    for _ in range(6):
        market.step()
    found, pairs = market.proof.state.diagnosis, market.platform.pairs
    k, t = np.unravel_index(np.argmax(np.abs(pairs.mismatch_kw)), pairs.mismatch_kw.shape)
    assert (found.slowest, found.slowest_period) == (market.graph.links[k].name, t)
    assert found.slowest_kw == np.abs(pairs.mismatch_kw).max()
    assert found.penalty_usd_per_kw2h == pairs.penalty.value[k, t]
    assert market.last.sentence.endswith(str(found))
    assert market.last.slowest == found.place


def test_verdicts_go_from_starting_to_converging(ieee33_run):
    verdicts = [r.verdict for r in ieee33_run(method="plain").rounds if r.phase is Phase.SHARING and r.iteration == 1]
    assert verdicts[0] == "starting"
    assert "converging" in verdicts


def test_a_prosumer_that_bids_what_the_dso_does_not_want_is_named(ieee33_run):
    slowest = {r.slowest.split(" in ")[0] for r in ieee33_run().rounds if r.phase is Phase.SHARING}
    assert any(name.endswith("and the DSO") for name in slowest)
    assert any("-" in name for name in slowest)
