# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad input is answered with its place and its reason, and nothing is lost: texts, placements, memory, frames of the channel."""
import os, random, socket, struct, subprocess, sys, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, TOP, wait_until

APP = """app: gate
parameters: {pause: 10ms}
tables:
  - name: check
    state:
      lookup: [ip.src]
      capacity: 1000
      states: [NEW, SEEN]
      registers: [n]
    rules:
      - {name: count, match: {l4.dst: 7}, do: n += 1, next: SEEN, action: pass}
      - {name: many, when: n > 3 and state == SEEN, action: drop}
  - name: last
    rules:
      - {name: rest, action: pass}
"""

# What is replaced by what, and what the answer must say. Lines are those of the text above.
MISTAKES = {
    "unknown field": ("l4.dst: 7", "l4.dist: 7", r":11:\d+: unknown field \"l4.dist\"; did you mean \"l4.dst\""),
    "unknown state": ("next: SEEN", "next: SEN", r":11:\d+: .*\"SEN\".*did you mean \"SEEN\""),
    "unknown register": ("n += 1", "m += 1", r":11:\d+: unknown name \"m\""),
    "unknown unit": ("10ms", "10parsec", r":2:\d+: .*parsec"),
    "overflow": ("n > 3", "n > 99999999999999999999", r":12:\d+: .*99999999999999999999"),
    "two tables of one name": ("- name: last", "- name: check", r":13:\d+: .*\"check\""),
    "key too long": ("[ip.src]", "[ip.src, ip.dst, eth.src, eth.dst]", r":6:\d+: .*at most 40"),
    "capacity 0": ("capacity: 1000", "capacity: 0", r":7:\d+: .*capacity"),
    "goto backwards": ("{name: rest, action: pass}", "{name: rest, action: goto(check)}", r":15:\d+: .*goto"),
    "wrong type": ("registers: [n]", "registers: {n: 1}", r":9:\d+: "),
    "duplicate key": ("      capacity: 1000", "      capacity: 1000\n      capacity: 9", r":8:\d+: .*capacity"),
    "unquoted !x": ("n > 3", "!n", r":12:\d+: "),
    "a tag": ("when: n > 3 and state == SEEN", "when: !x", r":12:\d+: .*quote"),
    "not YAML": ("rules:\n", "rules: [\n", r"gate.yaml:\d+:\d+: "),
    "an anchor": ("[n]", "&a [n]", r":9:\d+: .*anchor"),
}


def stranger(url, messages):
    """Sends raw messages over nanomsg's ipc transport, as a REQ socket would."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(2)
    s.connect(url.removeprefix("ipc://"))
    s.sendall(b"\0SP\0" + struct.pack(">HH", 48, 0))
    s.recv(8)
    answers = b""
    try:
        for m in messages:
            s.sendall(b"\x01" + struct.pack(">Q", len(m) + 4) + struct.pack(">I", 0x80000001) + m)
        s.settimeout(0.3)
        while chunk := s.recv(65536):
            answers += chunk
    except (TimeoutError, BrokenPipeError, ConnectionResetError):
        pass
    s.close()
    return answers


def frame(version=1, kind=1, session=77, sequence=1, payload=b""):
    return b"MEAL" + struct.pack("<HBBQQQ", version, kind, 0, session, sequence, 0) + payload


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("bad")
        cls.addClassCleanup(cls.lab.close)
        cls.lab.switch("s1", ["p1", "p2"], hooks=["xdp"])
        cls.lab.host("c", "s1", "p1"), cls.lab.host("s", "s1", "p2")
        cls.lab.start()
        cls.path = os.path.join(cls.lab.dir, "gate.yaml")
        cls.write(APP.replace(" and state == SEEN", ""))
        cls.lab.mealy("app", "load", cls.path)
        cls.version = cls.lab.json("switch", "show")[0]["version"]

    @classmethod
    def write(cls, text):
        with open(cls.path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())

    def tearDown(self):
        sw = self.lab.json("switch", "show")[0]
        self.assertEqual((sw["version"], sw["connected"]), (self.version, True), "nothing was changed")
        for p in self.lab.processes:
            self.assertTrue(p.alive(), p.text()[-2000:])

    def refused(self, text, pattern, *args):
        self.write(text)
        for verb in ("check", "load"):
            out = self.lab.mealy("app", verb, self.path, *args, status=1)
            self.assertRegex(out, pattern)

    def test_mistakes_in_the_text(self):
        for name, (old, new, pattern) in MISTAKES.items():
            with self.subTest(name):
                text = APP.replace(" and state == SEEN", "") if "state ==" not in old else APP
                self.assertIn(old, text)
                self.refused(text.replace(old, new), pattern)

    def test_257_rules(self):
        rules = "".join(f"      - {{name: r{i}, match: {{l4.dst: {i}}}, action: pass}}\n" for i in range(257))
        self.refused("app: gate\ntables:\n  - name: check\n    rules:\n" + rules, r"256")

    def test_texts_that_are_none(self):
        self.refused(b"\xff\xfe\0\1\2", r"gate.yaml")
        self.refused(b"", r"gate.yaml")
        self.refused(os.urandom(4096), r"gate.yaml")
        self.refused("app: " + "a" * (2 << 20), r"gate.yaml")
        self.refused("[" * 5000, r"gate.yaml")

    def test_files_that_cannot_be_read(self):
        for path in ("/nonexistent.yaml", self.lab.dir):
            for verb in ("check", "load"):
                self.assertIn(path, self.lab.mealy("app", verb, path, status=1))

    def test_placements_that_cannot_be(self):
        good = "examples/packet-counter.yaml"
        self.assertIn('"p9"', self.lab.mealy("app", "load", good, "--ports", "p9", status=1))
        self.assertIn("packet-counter/sources runs at tc-egress, whose programs this switch does not load",
                      self.lab.mealy("app", "load", good, "--hook", "tc-egress", status=1))
        self.lab.mealy("app", "remove", "packet-counter")
        for args in (("--hook", "xpd"), ("--order", "first"), ("--order", "-1"), ("--set", "burst"), ("--set", "nothing=3"), ("--bogus",)):
            with self.subTest(args=args):
                self.assertTrue(self.lab.mealy("app", "load", good, *args, status=None))
                self.assertEqual(self.lab.json("app", "list")[0]["name"], "gate")
        self.assertEqual(len(self.lab.json("app", "list")), 1)
        type(self).version = self.lab.json("switch", "show")[0]["version"]

    def test_names_that_are_not_there(self):
        for args in (("flow", "dump", "gate", "nothing"), ("flow", "dump", "nothing", "check"), ("app", "remove", "nothing"), ("app", "show", "nothing"),
                     ("table", "dump", "gate", "nothing"), ("switch", "show", "s9"),
                     ("port", "list", "--switch", "s9"), ("trace", "--port", "p9", "udp.dst=3"), ("packet", "out", "--port", "p9", "udp.dst=3"),
                     ("flow", "get", "gate", "check", "ip.src=10.0.0.300"), ("flow", "set", "gate", "check", "ip.src=10.0.0.3", "state=GONE"),
                     ("flow", "set", "gate", "check", "ip.src=10.0.0.3", "n=99999999999999999999999"), ("flow", "get", "gate", "check"),
                     ("flow", "dump", "gate", "check", "--where", "colour=red"), ("trace", "--port", "p1", "--hex", "zz"),
                     ("trace", "--port", "p1", "--pcap", "/dev/null"), ("nonsense",), ("flow",), ("event", "watch", "nonsense")):
            with self.subTest(args=args):
                r = self.lab.run(*args)
                self.assertIn(r.returncode, (1, 2), r.stdout)
                self.assertRegex(r.stderr, r"^mealy: ")
                self.assertEqual(r.stdout, "")

    def test_a_counter_that_is_not_there(self):
        self.assertIn('no counter fits "nothing"', self.lab.mealy("counter", "show", "nothing", status=1))

    def test_frames_that_are_none(self):
        for hex_digits, why in (("0102", r"frame 1 has 2 bytes; give whole Ethernet frames"), ("00" * 13, r"frame 1 has 13 bytes"), ("0", r"0")):
            with self.subTest(hex=hex_digits):
                self.assertRegex(self.lab.mealy("packet", "out", "--port", "p1", "--hex", hex_digits, status=2), why)
        self.lab.mealy("packet", "out", "--port", "p1", "--hex", "00" * 14)

    def test_output_that_cannot_be_written_is_an_error(self):
        for args in (("app", "list"), ("--json", "port", "list"), ("table", "list"), ("app", "check", "examples/token-bucket.yaml")):
            with self.subTest(args=args), open("/dev/full", "w") as full:
                r = subprocess.run(self.lab.command(*args), stdout=full, stderr=subprocess.PIPE, text=True, cwd=TOP)
                self.assertEqual(r.returncode, 1)
                self.assertRegex(r.stderr, r"^mealy: cannot write the output: (No space left on device|not all of it was taken)\n$")

    def test_a_parameter_of_the_wrong_kind_changes_nothing(self):
        self.assertIn('pause: "blue" is neither', self.lab.mealy("app", "set", "gate", "pause=blue", status=1))
        self.assertIn('no parameter "nothing"', self.lab.mealy("app", "set", "gate", "nothing=1", status=1))

    def test_messages_that_are_none(self):
        rnd = random.Random(7)
        good = frame()
        bad = [b"", b"\0", b"MEAL", good[:31], frame(kind=9), frame(session=0), frame(sequence=0), frame(version=2), frame(version=0xffff),
               frame(payload=b"\xff" * 100), frame(payload=b"\x0a\xff\xff\xff\xff\x0f"), frame(payload=rnd.randbytes(5000)),
               frame(sequence=1 << 63), frame(kind=2, sequence=0)] + [rnd.randbytes(rnd.randrange(200)) for _ in range(200)]
        large = [frame(payload=b"\x0a" * (2 << 20))]
        for url in (self.lab.agents_url, self.lab.users_url, self.lab.switches["s1"].socket):
            with self.subTest(url=url):
                self.assertIn(b"version", stranger(url, [frame(version=99)]))
                stranger(url, bad)
                stranger(url, large)
                for m in bad:
                    stranger_quick(url, m)
                self.assertEqual(self.lab.json("switch", "list")[0]["name"], "s1")
                self.assertEqual(self.lab.json("app", "list", agent="s1")[0]["name"], "gate")


def stranger_quick(url, m):
    """One bad message and away, without waiting for an answer."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.connect(url.removeprefix("ipc://"))
    try:
        s.sendall(b"\0SP\0" + struct.pack(">HH", 48, 0) + b"\x01" + struct.pack(">Q", len(m) + 4) + struct.pack(">I", 0x80000001) + m)
    except (BrokenPipeError, ConnectionResetError):
        pass
    s.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
