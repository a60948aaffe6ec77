"""Whom the attack does not describe: by hand-made readings, and by what the command says of a street with a battery."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from gridbazaar.network import InputError
from gridbazaar.scenarios import load, measure_privacy
from gridbazaar.scenarios.privacy.figures import privacy_figure
from gridbazaar.scenarios.privacy.readings import platform_reads
from gridbazaar.scenarios.privacy.scope import left_out
from gridbazaar.scenarios.privacy.shown import error_table, percent, statements
from gridbazaar.scenarios.privacy.tables import of_markets, of_prosumers


@pytest.fixture(scope="module")
def charged(small, tmp_path_factory):
    """The small market with fees, and a battery at ann; with offers in steps of 10 kW a market with another welfare."""
    folder = tmp_path_factory.mktemp("charged")
    file = folder / "charged.yaml"
    battery = "{kind: battery, capacity_kwh: 60, p_charge_max_kw: 30, p_discharge_max_kw: 30, soc_start: 0.5}"
    file.write_text(
        f"base: {small}\nprosumer_defaults: {{grid_fee_usd_per_kwh: 0.05}}\n"
        f"prosumers: {{ann: {{devices: {{battery: {battery}}}}}}}\n"
    )
    return file, measure_privacy(str(file), [10.0], [], folder / "found")


def with_frame(privacy, frame):
    return dataclasses.replace(privacy, frame=frame)


def test_devices_and_fees_on_orders_that_alone_are_read_are_left_out(small, log_of):
    ann = load(str(small)).build_households()[0]
    linked = platform_reads(log_of(0.002, 0.8, [20.0, 30.0]), withdrawals=False)
    alone = platform_reads(log_of(0.002, 0.8, [20.0, 30.0], cap_kw=1e-9), withdrawals=False)
    charged = dataclasses.replace(ann, grid_fee_usd_per_kwh=0.05)
    assert [left_out(ann, linked), left_out(ann, alone)] == ["nothing", "nothing"]
    assert [left_out(charged, linked), left_out(charged, alone)] == ["nothing", "fees"]
    assert left_out(dataclasses.replace(ann, feed_in_fee_usd_per_kwh=0.05), alone) == "fees"


def test_who_has_devices_is_not_found_and_is_named(charged):
    _, found = charged
    exact = found.frame[(found.frame["setting"] == 1) & (found.frame["kind"] == "platform")].set_index("prosumer")
    assert exact["left_out"].to_dict() == {"ann": "devices", "bob": "nothing", "cat": "nothing"}
    assert exact.loc["ann", "alpha_error"] > 0.01 > exact.loc[["bob", "cat"], "alpha_error"].max()
    count, of_ann = statements(found)
    assert count.startswith("exact offers: the platform finds alpha of 2 of 3 prosumers to within 1 %; beta")
    assert of_ann == "the attack does not describe the problem of ann: devices tie its periods"
    assert {row[0] for row in error_table(found).rows} == {"ann (devices)", "bob", "cat"}


@pytest.mark.parametrize(("error", "count"), [(0.0099, 3), (0.0101, 2)])
def test_what_is_found_is_missed_by_less_than_a_hundredth(charged, error, count):
    _, found = charged
    frame = found.frame.assign(alpha_usd_per_kw2h=0.002, alpha_error=0.0)
    frame.loc[frame["prosumer"] == "ann", "alpha_error"] = error
    assert f"alpha of {count} of 3 prosumers" in statements(with_frame(found, frame))[0]


def test_a_good_guess_is_not_found(charged):
    _, found = charged
    frame = found.frame.assign(alpha_usd_per_kw2h=np.nan, alpha_error=0.0)
    assert "alpha of 0 of 3 prosumers" in statements(with_frame(found, frame))[0]


def test_with_fees_what_telling_less_costs_is_the_difference_in_welfare_less_fees(charged):
    """Two runs of their own; their certificates bound the cost from both sides, as they do not bound the welfare's."""
    file, found = charged
    exact, coarse = load(str(file)).market().run(), load(str(file), {"messages.quantum_kw": 10}).market().run()
    markets = of_markets(found.frame).set_index("messages")
    told = markets.loc["steps of 10 kW"]
    cost = (exact.welfare_usd - exact.fees_usd) - (coarse.welfare_usd - coarse.fees_usd)
    assert coarse.fees_usd != pytest.approx(exact.fees_usd, rel=1e-3)
    assert told["welfare_cost_usd"] == pytest.approx(cost, abs=1e-9)
    assert told["fees_usd"] == pytest.approx(coarse.fees_usd)
    assert -exact.certificate.total_usd - 1e-6 <= cost <= coarse.certificate.total_usd + 1e-6


def test_an_error_beyond_a_thousand_percent_is_told_as_that_and_a_guess_has_its_mark():
    assert percent(110_000.0, 50_000.0) == percent(10.01) == "> 1,000"
    assert percent(110_000.0, guessed=True) == "> 1,000*"
    assert percent(9.9) == "990"
    assert percent(0.0, guessed=True) == "0*"


def test_what_rests_on_a_guess_for_some_seeds_or_for_beta_has_its_mark(charged):
    _, found = charged
    bob = found.frame[(found.frame["prosumer"] == "bob") & (found.frame["setting"] == 2)]
    bob = bob.assign(alpha_error=0.5, beta_error=0.5, load_error=0.5, shape_error=0.5)
    seen = bob.assign(alpha_usd_per_kw2h=0.01, beta_usd_per_kwh=0.9, seed=0)
    blind = bob.assign(alpha_usd_per_kw2h=np.nan, beta_usd_per_kwh=np.nan, seed=1)
    no_beta = seen.assign(beta_usd_per_kwh=np.nan)

    def cells(*frames):
        [row] = error_table(with_frame(found, pd.concat(frames, ignore_index=True))).rows
        return row[2:8]

    assert cells(seen) == ("50",) * 6
    assert cells(no_beta) == ("50", "50*", "50*", "50", "50", "50*")  # the level of the load follows from beta
    assert cells(seen, blind) == ("50*",) * 6


def test_a_folder_whose_rows_know_no_fees_is_left_alone(small, tmp_path):
    done = measure_privacy(str(small), [], [], tmp_path / "old")
    plan = json.loads((done.folder / "privacy.json").read_text())
    del plan["form"]
    (done.folder / "privacy.json").write_text(json.dumps(plan))
    with pytest.raises(InputError, match="holds a measurement of something else; name a new folder with -o"):
        measure_privacy(str(small), [], [], done.folder)


# --- the figure


def marks(axis):
    """All marks that are drawn, (mark, 2)."""
    lines = [line.get_xydata() for line in axis.lines if line.get_marker() not in {"None", ""}]
    return np.concatenate([xy[np.isfinite(xy).all(axis=1)] for xy in lines])


def test_all_marks_and_labels_stand_inside_the_axes_and_no_two_labels_of_a_way_overlap(charged):
    """Five steps that cost nothing and are missed alike: one label; the last one costs most, and stands far right."""
    _, found = charged
    coarse = found.frame[found.frame["setting"] == 2]
    more = [
        coarse.assign(setting=k + 3, messages=f"steps of {kw} kW", quantum_kw=float(kw), welfare_cost_usd=cost)
        for k, (kw, cost) in enumerate([(11, 0.0), (12, -0.2), (13, 0.0), (14, 1e-9), (15, 70.0)])
    ]
    frame = pd.concat([found.frame, *more], ignore_index=True)
    frame.loc[frame["quantum_kw"] > 0, "alpha_error"] = 110_000.0
    figure = privacy_figure(frame)
    for axis in figure.axes:
        (left, right), (low, high) = axis.get_xlim(), axis.get_ylim()
        x, y = marks(axis).T
        assert left < x.min() <= x.max() < right
        assert low < y.min() <= y.max() < high
        boxes = [text.get_window_extent() for text in axis.texts]
        frame_box = axis.get_window_extent()
        assert all(frame_box.x0 <= box.x0 and box.x1 <= frame_box.x1 for box in boxes)
        assert all(frame_box.y0 <= box.y0 and box.y1 <= frame_box.y1 for box in boxes)
        assert not any(one.overlaps(two) for k, one in enumerate(boxes) for two in boxes[:k])
    assert "11, 12, 13, 14 kW" in {text.get_text() for text in figure.axes[0].texts}
    assert marks(figure.axes[0])[:, 1].max() == 1000.0


def test_a_guess_that_is_exact_by_chance_is_not_drawn(charged):
    _, found = charged
    frame = found.frame.assign(alpha_guess_error=0.0)
    blind = frame["setting"] == 2
    frame.loc[blind, ["alpha_usd_per_kw2h", "alpha_error"]] = np.nan, 0.0
    alpha, shape = privacy_figure(frame).axes
    dotted = [sum(line.get_linestyle() == ":" for line in axis.lines) for axis in (alpha, shape)]
    assert dotted[0] == 0
    assert dotted[1] > 0
    cost = float(of_markets(frame)["welfare_cost_usd"].iloc[1])
    assert cost not in marks(alpha)[:, 0]
    assert cost in marks(shape)[:, 0]


def test_a_guess_is_hollow_and_what_is_fitted_is_filled(charged):
    _, found = charged
    frame = found.frame.assign(alpha_usd_per_kw2h=np.nan, alpha_error=0.5)
    frame.loc[frame["prosumer"] == "bob", "alpha_usd_per_kw2h"] = 0.003
    assert of_prosumers(frame)["seen"].sum() == 2  # bob, in two markets
    filled = [line for line in privacy_figure(frame).axes[0].lines if line.get_markerfacecolor() != "none"]
    drawn = [line for line in filled if line.get_marker() == "o"]
    assert sum(len(line.get_xdata()) for line in drawn) == 2
