from data.progress import Meter, Stage


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_rate_and_time_left() -> None:
    clock, told = Clock(), list[Stage]()
    meter = Meter(told.append, "Downloading", 1000, "bytes", "a file", done=200, clock=clock)
    assert told == [Stage("Downloading", 200, 1000, "bytes", "a file")]
    clock.now += 2
    meter.add(100)
    assert told[-1] == Stage("Downloading", 300, 1000, "bytes", "a file", False, 50.0, 14.0)


def test_the_rate_is_that_of_late() -> None:
    clock, told = Clock(), list[Stage]()
    meter = Meter(told.append, "Reading", 10_000, "lines", clock=clock)
    for _ in range(10):
        clock.now += 1
        meter.add(1000 if clock.now < 104 else 100)
    assert told[-1].rate == 100


def test_not_every_step_is_told() -> None:
    clock, told = Clock(), list[Stage]()
    meter = Meter(told.append, "Reading", 1000, "lines", clock=clock)
    for _ in range(1000):
        clock.now += 0.001
        meter.add(1)
    assert 10 < len(told) < 30
    meter.on("the next file")
    assert (told[-1].done, told[-1].note) == (1000, "the next file")
    meter.finish()
    assert (told[-1].done, told[-1].total, told[-1].finished) == (1000, 1000, True)


def test_without_an_end_no_time_is_left() -> None:
    clock, told = Clock(), list[Stage]()
    meter = Meter(told.append, "Downloading", 0, "bytes", clock=clock)
    clock.now += 1
    meter.add(10)
    assert (told[-1].rate, told[-1].seconds_left) == (10.0, None)
