"""Sweeps: a key opens the panel that asks for values, and a job measures the combinations of these."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from textual.binding import Binding
from textual.widgets import Input

from movietui.data.language import tr
from movietui.data.problems import Cancelled, Problem
from movietui.models.choices import SEARCHES, label_of, metric_for
from movietui.protocol.jobs import SweepOptions
from movietui.protocol.requests import Requests
from movietui.state.job_progress import JobProgress
from movietui.state.sweep import Sweep, seconds_of_fit
from movietui.store.runs import SERVED_SPLIT
from movietui.ui.bindings import hint, key_of
from movietui.ui.controller import in_background
from movietui.ui.train.controller import TrainController

SWEEP_KEYS = [
    Binding(
        "s",
        "sweep",
        show=False,
        id="train.sweep",
        tooltip=tr("Try several values of the settings, starting with the field you are in"),
    ),
]


class SweepController(TrainController):
    """Handles the key for sweeps, and the sweep in progress."""

    _sweep: Sweep | None = None
    """The sweep in progress, or the last one."""

    def show_progress(self, progress: JobProgress | None) -> None:
        """Show the progress of a sweep."""
        if progress is not None and progress.request["do"] == "sweep" and self._sweep is not None:
            if len(self._sweep.rows) == len(progress.results):
                return  # only the current fit progressed
            self._show_sweep(replace(self._sweep, rows=progress.results))

    @in_background("panel")
    async def action_sweep(self, field: str = "") -> None:
        """Open the sweep panel, and put the settings chosen there into the form."""
        from movietui.ui.train.sweep_panel import METRIC, SAMPLER, SEARCH, SweepPanel, Typed

        await self.screen.show_settings()
        form, model = self.screen.form, self.screen.form.model
        if model is None:
            return
        if not model["settings"]:
            raise Problem(tr("{model} has no settings to try.", model=model["name"]))
        dataset = await self.screen.dataset_to_train()
        typed = form.query_one("#set-split", Input).value.strip()
        seed = form.query_one("#set-seed", Input).value.strip() or "0"
        if not seed.isdecimal():
            raise Problem(tr("seed: {seed} is not a whole number.", seed=seed))
        split = typed or SERVED_SPLIT
        cleaning = "none" if typed else await asyncio.to_thread(self.session.store.cleaning_of, dataset)
        sweep = self._sweep
        if sweep is not None and (sweep.model, sweep.dataset, sweep.split) != (model["name"], dataset, split):
            if sweep.state == "running":
                cancels = hint(self.screen, ("train.cancel", tr("cancels it")))
                raise Problem(
                    tr(
                        "A sweep of {model} on {dataset} is running; {cancels}.",
                        model=sweep.model,
                        dataset=sweep.dataset,
                        cancels=cancels,
                    )
                )
            sweep = None
        values = form.values() | {METRIC: metric_for(model["name"]), SEARCH: "", SAMPLER: SEARCHES[0]}
        if sweep is not None:
            values |= {name: ",".join(tried) for name, tried in sweep.grid.items()}
            values |= {METRIC: sweep.metric}
            if sweep.tries is not None:
                values |= {SEARCH: str(sweep.tries), SAMPLER: sweep.sampler}

        rows = await self.session.engine.ask(Requests.datasets)
        ratings = next((row["ratings"] or 0 for row in rows if row["name"] == dataset), 0)

        async def start(typed: Typed) -> None:
            if self.app.jobs.progress is not None:
                raise Problem(
                    tr(
                        "Another job is running; wait for it, or press {key} to cancel it.",
                        key=key_of(self.screen, "train.cancel"),
                    )
                )
            self._show_sweep(Sweep(model["name"], dataset, split, typed.grid, typed.metric, typed.sampler, typed.tries))
            self.run_sweep(
                {
                    "split": split,
                    "cleaning": cleaning,
                    "seed": int(seed),
                    "grid": typed.grid,
                    "metric": typed.metric,
                    "sampler": typed.sampler,
                    "tries": typed.tries,
                }
            )

        panel = SweepPanel(
            model,
            f"{dataset} · {split}",
            values,
            field or model["settings"][0]["name"],
            seconds_of_fit(self.screen.runs_by_id.values(), model["name"], dataset, ratings),
            start,
            sweep,
        )
        chosen = await self.app.push_screen_wait(panel)
        if chosen is not None:
            form.fill(chosen)
            await self.screen.action_settings()
            trains = hint(self.screen, ("train.choose", tr("trains")))
            self.app.show_notice(tr("Copied the combination to the settings; {trains} with them.", trains=trains))

    @in_background("sweep")
    async def run_sweep(self, options: SweepOptions) -> None:
        """Measure the combinations in a child process."""
        assert self._sweep is not None
        try:
            result = await self.app.jobs.sweep(self._sweep.model, self._sweep.dataset, options)
            self._show_sweep(replace(self._sweep, rows=result["rows"], state="done"))
            best = result["rows"][0]
            settings = " ".join(f"{name} {value}" for name, value in best["grid"].items())
            metric = self._sweep.metric
            figure = f"{label_of(metric)} {best['metrics'][metric]:.4f}"
            self.app.show_notice(
                tr(
                    "Swept {model}: {settings} is best, {figure}",
                    model=self._sweep.model,
                    settings=settings,
                    figure=figure,
                )
            )
        except Cancelled:
            self.app.show_notice(tr("Stopped the sweep; its results are kept, and the same sweep continues from them."))
            self._show_sweep(replace(self._sweep, state="stopped"))
        except Problem as problem:
            self._show_sweep(replace(self._sweep, state="stopped", problem=str(problem)))
            raise

    def _show_sweep(self, sweep: Sweep) -> None:
        from movietui.ui.train.sweep_panel import SweepPanel

        self._sweep = sweep
        if isinstance(self.app.screen, SweepPanel):
            self.app.screen.update(sweep)
