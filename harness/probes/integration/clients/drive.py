"""Has a client do one task after the other: a JSON object a line in, one a line out.

Started as ``python drive.py CLIENT.py ADDRESS``; the client is a file with a class ``Chatbot``.
"""

import importlib.util
import json
import sys
import time


def main() -> None:
    """Load the client, say so, and do what standard input asks for."""
    spec = importlib.util.spec_from_file_location("client", sys.argv[1])
    if spec is None or spec.loader is None:
        raise SystemExit(f"{sys.argv[1]} is no client")
    client = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(client)
    _say({"ready": True})
    chatbot = None
    for line in sys.stdin:
        order = json.loads(line)
        try:
            chatbot = chatbot or client.Chatbot(sys.argv[2])
            result = getattr(chatbot, order["task"])(*order["words"])
            if order["task"] == "stream":
                result = [(time.monotonic(), piece) for piece in result]
            _say({"done": result})
        except Exception as error:  # noqa: BLE001  # whatever the client stumbles over is what is reported
            _say({"failed": f"{type(error).__name__}: {error}"[:300]})


def _say(what: dict[str, object]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
