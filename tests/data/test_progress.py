from movietui.data.progress import Meter, Stage


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_rate_and_time_left() -> None:
    clock, stages = Clock(), list[Stage]()
    meter = Meter(stages.append, "Downloading", 1000, "bytes", "a file", done=200, clock=clock)
    assert stages == [Stage("Downloading", 200, 1000, "bytes", "a file")]
    clock.now += 2
    meter.add(100)
    assert stages[-1] == Stage("Downloading", 300, 1000, "bytes", "a file", False, 50.0, 14.0)


def test_the_rate_is_measured_recently() -> None:
    clock, stages = Clock(), list[Stage]()
    meter = Meter(stages.append, "Reading", 10_000, "lines", clock=clock)
    for _ in range(10):
        clock.now += 1
        meter.add(1000 if clock.now < 104 else 100)
    assert stages[-1].rate == 100


def test_a_stall_near_the_end_does_not_become_hours() -> None:
    clock, stages = Clock(), list[Stage]()
    meter = Meter(stages.append, "Downloading", 1_000_000, "bytes", clock=clock)
    clock.now += 10
    meter.add(900_000)
    for _ in range(10):
        clock.now += 1
        meter.add(1)
    assert stages[-1].rate == 1
    assert stages[-1].seconds_left is not None
    assert stages[-1].seconds_left < 25  # ten times as long as at the mean rate


def test_not_every_step_is_reported() -> None:
    clock, stages = Clock(), list[Stage]()
    meter = Meter(stages.append, "Reading", 1000, "lines", clock=clock)
    for _ in range(1000):
        clock.now += 0.001
        meter.add(1)
    assert 10 < len(stages) < 30
    meter.set_note("the next file")
    assert (stages[-1].done, stages[-1].note) == (1000, "the next file")
    meter.finish()
    assert (stages[-1].done, stages[-1].total, stages[-1].finished) == (1000, 1000, True)


def test_without_a_total_the_time_left_is_unknown() -> None:
    clock, stages = Clock(), list[Stage]()
    meter = Meter(stages.append, "Downloading", 0, "bytes", clock=clock)
    clock.now += 1
    meter.add(10)
    assert (stages[-1].rate, stages[-1].seconds_left) == (10.0, None)
