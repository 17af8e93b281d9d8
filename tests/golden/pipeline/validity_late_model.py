"""The stand-in model, stopped for 60 ms after every 60 ms: its own tokens leave late. Arguments are the model's."""

import signal
import subprocess
import sys
import time

model = subprocess.Popen([sys.executable, "-m", "llm", *sys.argv[1:]])
signal.signal(signal.SIGTERM, lambda *_: (model.send_signal(signal.SIGCONT), model.terminate(), sys.exit(0)))
time.sleep(1.5)  # until it listens
while model.poll() is None:
    for number in (signal.SIGSTOP, signal.SIGCONT):
        model.send_signal(number)
        time.sleep(0.06)
