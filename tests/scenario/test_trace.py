# SPDX-License-Identifier: GPL-2.0-or-later
"""`trace` predicts rule, verdict and record of each of 100 packets, which are then sent; for each example.

    h1 --- p1 [ s1 ] p2 --- h2        The switch reads its time from a map, so that it stands still in between.
               [    ] p3 --- h3
"""
import os, random, sys, time, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab
from frames import ethernet, icmp, tcp, udp

PACKETS = 100
BROADCAST = "ff:ff:ff:ff:ff:ff"
MACS = [f"02:00:00:00:0{i}:01" for i in (1, 2, 3, 4)]


class Trace(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("trace")
        cls.addClassCleanup(cls.lab.close)
        cls.switch = cls.lab.switch("s1", ["p1", "p2", "p3"])
        cls.switch.extra["test_clock"] = "yes"
        cls.host = {f"p{i}": cls.lab.host(f"h{i}", "s1", f"p{i}", mac=MACS[i - 1]) for i in (1, 2, 3)}
        cls.lab.start()
        cls.now_ns = 10 ** 12

    def setUp(self):
        self.random = random.Random(1)

    def advance(self, seconds):
        type(self).now_ns += int(seconds * 1e9)
        self.switch.set_clock(self.now_ns)

    def rules(self, app):
        return {r["name"]: r["packets"] for r in self.lab.json("counter", "show", "rule") if r["name"].startswith(app + "/")}

    def arrivals(self, seconds):
        """How many frames come out of each port, once as many as 'seconds' allow have come."""
        return {port: len(h.received(quiet_s=seconds)) for port, h in self.host.items()}

    def expect_arrivals(self, port, leaves):
        numbers = {f"p{i}": i for i in (1, 2, 3)}
        want = {p: 0 for p in numbers}
        if leaves["exit"] == "output":
            want = {p: int(n == leaves["out_port"]) for p, n in numbers.items()}
        elif leaves["exit"] == "flood":
            want = {p: int(p != port) for p in numbers}
        got = {p: len(self.host[p].received(quiet_s=1, want=1) if n else self.host[p].received(quiet_s=0)) for p, n in want.items()}
        self.assertEqual(got, want, leaves)

    def expect_record(self, app, step, one_scope):
        key = [f"{k}={v}" for k, v in step["record"].items()]
        for attempt in range(20):
            rows = self.lab.json("flow", "get", app, step["table"], *key, status=None)
            wrong = self.record_differs(step, rows[0] if rows else None, one_scope)
            if not wrong:
                return
            time.sleep(0.01)
        self.fail(f"{wrong}: predicted {step}, there is {rows}")

    def record_differs(self, step, row, one_scope):
        if step["freed"]:
            return row and "not freed"
        if not row:
            return (step["created"] or (one_scope and step["found"])) and "no record"
        if row["registers"] != step["registers"]:
            return "registers"
        return one_scope and step["new_state"] and row["state"] != step["new_state"] and "state"

    def predict_and_send(self, app, port, frame, predicted, one_scope):
        rows = self.lab.json("trace", "--port", port, "--hex", frame.hex())
        leaves = next(r for r in rows if "exit" in r)
        steps = [r for r in rows if "rule" in r]
        self.host[port].send([frame])
        self.expect_arrivals(port, leaves)
        for step in steps:
            name = f"{app}/{step['table']}/{step['rule']}"
            predicted[name] = predicted.get(name, 0) + 1
            if "record" in step:
                self.expect_record(app, step, one_scope)

    def run_example(self, app, make, pause_s, settings=(), one_scope=True):
        self.lab.mealy("app", "load", f"examples/{app}.yaml", *settings)
        self.arrivals(0.02)
        before, predicted = self.rules(app), {}
        for i in range(PACKETS):
            self.advance(self.random.uniform(0, 2 * pause_s))
            port, frame = make(self.random)
            with self.subTest(packet=i, now_ns=self.now_ns, frame=frame.hex()):
                self.predict_and_send(app, port, frame, predicted, one_scope)
        counted = {k: v - before.get(k, 0) for k, v in self.rules(app).items()}
        self.assertEqual({k: v for k, v in counted.items() if v}, predicted)
        self.assertGreater(len(predicted), 1 if app != "packet-counter" else 0, "the packets meet several rules")
        self.lab.mealy("app", "remove", app)

    def test_token_bucket(self):
        sources = ["10.0.0.1", "10.0.0.2", "2001:db8::1"]

        def make(rnd):
            src = rnd.choice(sources)
            dst = "2001:db8::9" if ":" in src else "10.0.0.9"
            return rnd.choice(["p1", "p2"]), udp(src, dst, dport=rnd.choice([7, 9]))
        self.run_example("token-bucket", make, 0.15, ("--set", "burst=3", "--set", "rate=2pps"))

    def test_port_knocking(self):
        place = {}

        def make(rnd):
            src = rnd.choice(["10.0.0.1", "10.0.0.2"])
            place[src] = place.get(src, -1) + 1
            right = (1111, 2222, 3333, 9922, 9922)[place[src] % 5]
            if rnd.random() < 0.15:
                return "p1", icmp(src, "10.0.0.9")
            return "p1", rnd.choice([udp, tcp])(src, "10.0.0.9", dport=right if rnd.random() < 0.9 else rnd.choice([1111, 5]))
        self.run_example("port-knocking", make, 0.5)

    def test_mac_learning(self):
        def make(rnd):
            station = rnd.randrange(4)
            port = f"p{min(station, 2) + 1}" if rnd.random() < 0.9 else "p1"
            return port, ethernet(MACS[station], rnd.choice(MACS + [BROADCAST]))
        self.run_example("mac-learning", make, 20, one_scope=False)

    def test_udp_firewall(self):
        def make(rnd):
            inner, outer = rnd.choice([1000, 1001]), rnd.choice([53, 54])
            if rnd.random() < 0.1:
                return "p1", tcp("10.0.0.1", "10.0.0.2")
            if rnd.random() < 0.5:
                return "p1", udp("10.0.0.1", "10.0.0.2", inner, outer)
            return "p2", udp("10.0.0.2", "10.0.0.1", outer, inner)
        self.run_example("udp-firewall", make, 4, ("--set", "inside=p1", "--set", "outside=p2"))

    def test_packet_counter(self):
        def make(rnd):
            src = rnd.choice(["10.0.0.1", "10.0.0.2"])
            return rnd.choice(["p1", "p2"]), rnd.choice([udp, tcp])(src, "10.0.0.9", payload=b"x" * rnd.randrange(20, 900))
        self.run_example("packet-counter", make, 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
