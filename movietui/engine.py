"""The engine's own process: answers requests on standard input until it ends."""

import sys
from collections.abc import Callable
from typing import Any

from movietui.serving import Service
from movietui.wire import Message, decode, encode, sentence, take_stdout


def answer(service: Service, request: Message) -> bytes:
    """Return the line that answers a request; whatever goes wrong becomes a sentence, the process goes on."""
    number = request.pop("id")
    methods: dict[str, Callable[..., Any]] = {
        "open": service.open,
        "people": service.people,
        "rank": service.rank,
        "surprise": service.surprise,
        "interview": service.interview,
        "beside": service.beside,
        "complete": service.complete,
        "similar": service.similar,
        "find": service.find,
        "taste": service.taste,
        "details": service.details,
        "datasets": service.datasets,
        "models": service.models,
        "reported": service.reported,
        "compare": service.compare,
        "report": service.report,
        "presets": service.presets,
        "preview": service.preview,
        "removed": service.removed,
        "show": service.show,
        "imdb": service.imdb,
        "settle": service.settle,
        "unsettle": service.unsettle,
        "look_into": service.look_into,
        "bring": service.bring,
    }
    try:
        return encode({"id": number, "result": methods[request.pop("do")](**request)})
    except Exception as error:
        return encode({"id": number, "problem": sentence(error)})


def main() -> None:
    """Answer until standard input ends."""
    pipe = take_stdout()
    service = Service()
    for line in sys.stdin.buffer:
        pipe.write(answer(service, decode(line)).decode())
        pipe.flush()


if __name__ == "__main__":
    main()
