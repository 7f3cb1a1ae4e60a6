# SPDX-License-Identifier: GPL-2.0-or-later
"""`simulate`: an application on a capture, with the capture's times, without root or kernel."""
import json, os, subprocess, sys, tempfile, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import BUILD, TOP
from frames import tcp, udp
from scapy.layers.l2 import Ether
from scapy.utils import rdpcap, wrpcap

NOBODY = 65534


def user():
    """Nobody, if the build can be reached by everyone."""
    try:
        subprocess.run([f"{BUILD}/cli/mealy", "--version"], user=NOBODY, stdout=subprocess.DEVNULL)
        return NOBODY
    except PermissionError:
        return None


class Simulate(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mealy-simulate-")
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o777)
        self.capture, self.out = os.path.join(folder.name, "in.pcap"), os.path.join(folder.name, "out.pcap")

    def write(self, timed_frames):
        packets = []
        for at, frame in timed_frames:
            p = Ether(frame)
            p.time = 1700000000 + at
            packets.append(p)
        wrpcap(self.capture, packets)

    def mealy(self, *args, status=0):
        r = subprocess.run([f"{BUILD}/cli/mealy", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=TOP,
                           user=user(), env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
        self.assertEqual(r.returncode, status, r.stderr)
        return r.stdout + r.stderr

    def rules(self, *args):
        rows = [json.loads(line) for line in self.mealy("--json", "simulate", *args).splitlines()]
        return {r["name"]: r["packets"] for r in rows if r.get("scope") in ("rule", "exit") and r["packets"]}

    def test_a_token_bucket_runs_on_the_times_of_the_capture(self):
        frame = udp("10.0.0.1", "10.0.0.2")
        self.write([(i * 0.001, frame) for i in range(10)] + [(1.1, frame), (1.2, frame), (60, frame)])
        got = self.rules("examples/token-bucket.yaml", "--pcap", self.capture, "--write", self.out)
        self.assertEqual(got, {"police/first": 2, "police/in-rate": 5, "police/over-rate": 6, "pass": 7, "drop": 6})
        left = rdpcap(self.out)
        self.assertEqual([round(float(p.time) - 1700000000, 3) for p in left], [0, 0.001, 0.002, 0.003, 0.004, 1.1, 60])
        self.assertTrue(all(bytes(p) == frame for p in left))

    def test_a_door_opens_and_closes_again(self):
        ports = [(0, 1111), (1, 2222), (2, 3333), (3, 9922), (14, 9922)]
        self.write([(at, tcp("10.0.0.1", "10.0.0.2", dport=port)) for at, port in ports])
        got = self.rules("examples/port-knocking.yaml", "--pcap", self.capture)
        self.assertEqual(got["knocks/open"], 1, "ten seconds of silence close it")

    def test_parameters_and_ports(self):
        got = self.rules("examples/udp-firewall.yaml", "--set", "inside=lan", "--set", "outside=wan", "--port", "lan", "ipv4.src=10.0.0.1", "udp.dst=53")
        self.assertEqual(got.get("conversations/ask"), 1)

    def test_what_is_no_capture(self):
        self.assertIn("/dev/null", self.mealy("simulate", "examples/token-bucket.yaml", "--pcap", "/dev/null", status=1))
        with open(self.capture, "wb") as f:
            f.write(b"\xd4\xc3\xb2\xa1" + os.urandom(200))
        self.mealy("simulate", "examples/token-bucket.yaml", "--pcap", self.capture, status=1)
        self.write([(0, udp("10.0.0.1", "10.0.0.2"))] * 3)
        with open(self.capture, "r+b") as f:
            f.truncate(os.path.getsize(self.capture) - 5)
        self.assertIn("in.pcap", self.mealy("simulate", "examples/token-bucket.yaml", "--pcap", self.capture, status=1))


if __name__ == "__main__":
    unittest.main(verbosity=2)
