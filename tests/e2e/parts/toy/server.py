"""Passes every connection on to the language model; misbehaves in the way its second argument names."""

import asyncio
import os
import sys
from urllib.parse import urlsplit

ANSWERS_BEFORE_THE_END = 3
GREED_BYTES = 512 << 20  # an end to it, should nothing enforce a limit
MEGABYTE = 1 << 20


class Relay:
    """A listener in front of the model."""

    def __init__(self, mishap: str) -> None:
        self.mishap = mishap
        self.asked = 0
        self.hoard: list[bytes] = []

    async def serve(self, port: int) -> None:
        """Listen for good."""
        server = await asyncio.start_server(self.relay, "127.0.0.1", port)
        async with server:
            await server.serve_forever()

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection's bytes both ways until a side ends."""
        model = urlsplit(os.environ["LLM_BASE_URL"])
        model_reader, model_writer = await asyncio.open_connection(model.hostname, model.port)
        await asyncio.gather(self.carry(reader, model_writer, self.listen), self.carry(model_reader, writer, None))

    async def carry(self, reader, writer, look) -> None:
        """Carry bytes one way."""
        try:
            while data := await reader.read(1 << 16):
                if look:
                    look(data)
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass  # a person left
        finally:
            writer.close()

    def listen(self, data: bytes) -> None:
        """Count the messages that came in, and go wrong at one of them."""
        self.asked += data.startswith(b"POST ")
        if self.asked > ANSWERS_BEFORE_THE_END and self.mishap == "mortal":
            print("the toy has had enough", flush=True)
            os._exit(7)
        if self.asked > ANSWERS_BEFORE_THE_END and self.mishap == "greedy":
            while len(self.hoard) * MEGABYTE < GREED_BYTES:
                self.hoard.append(os.urandom(MEGABYTE))  # written to, so that the kernel has to give it


def main() -> None:
    """Do what the arguments say."""
    port, mishap = int(sys.argv[1]), (*sys.argv[2:], "none")[0]
    if mishap == "failed":
        sys.exit("first line of its complaint\nno such table: conversations")
    if mishap == "silent":
        print("the toy is thinking about it", flush=True)
        asyncio.run(asyncio.sleep(3600))
    asyncio.run(Relay(mishap).serve(port))


if __name__ == "__main__":
    main()
