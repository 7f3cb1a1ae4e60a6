# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent's scan ends flows whose time is over, without a packet: by the test's clock, so nothing depends on the machine's pace.

    c --- p1 [ s1: brief ] p2
"""
import json, os, subprocess, sys, time, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, wait_until
from frames import udp

BRIEF = """app: brief
globals: {ended: 0}
tables:
  - name: soon
    state:
      lookup: [ip.src]
      capacity: 100
      expire_within: 10ms
      states: [NEW, {name: HELD, idle: 5s, idle_to: COLD, on_timeout: notify}, {name: COLD, hard: 7s, on_timeout: ended += 1; notify}]
      registers: [n]
    rules:
      - {state: NEW, do: n += 1, next: HELD}
      - {do: n += 1}
  - name: slow
    state:
      lookup: [ip.src]
      capacity: 100
      states: [NEW, {name: HELD, hard: 5s, on_timeout: notify}]
    rules:
      - {name: first, state: NEW, next: HELD, action: drop}
      - {action: drop}
"""


class Expiry(unittest.TestCase):
    def setUp(self):
        self.lab = Lab("expiry")
        self.addCleanup(self.lab.close)
        self.switch = self.lab.switch("s1", ["p1", "p2"], hooks=["xdp"])
        self.switch.extra["test_clock"] = "yes"
        self.c = self.lab.host("c", "s1", "p1", mac="02:00:00:00:01:01")
        self.lab.start()
        self.set_ms(10 ** 6)
        path = os.path.join(self.lab.dir, "brief.yaml")
        with open(path, "w") as f:
            f.write(BRIEF)
        self.lab.mealy("app", "load", path, "--ports", "p1")
        self.events = subprocess.Popen(self.lab.command("--json", "event", "watch", "timeout", agent="s1"), stdout=subprocess.PIPE)
        self.addCleanup(self.end_watch)
        os.set_blocking(self.events.stdout.fileno(), False)
        self.rest = b""

    def end_watch(self):
        self.events.kill()
        self.events.wait()
        self.events.stdout.close()

    def set_ms(self, ms):
        self.switch.set_clock(ms * 10 ** 6)

    def told(self):
        """Events that have come since the last call."""
        self.rest += self.events.stdout.read() or b""
        *lines, self.rest = self.rest.split(b"\n")
        return [json.loads(line) for line in lines]

    def tell(self, want):
        got = []
        wait_until(lambda: got.extend(self.told()) or len(got) >= want, 5)
        return [(e["table"], e["key"], e["old_state"], e["new_state"]) for e in got]

    def nothing(self):
        """Two scans of all tables later: nobody was told anything."""
        time.sleep(2.1)
        self.assertEqual(self.told(), [])

    def stats(self):
        return {r["table"].split("/")[-1]: (r["flows"], r["expired"]) for r in self.lab.json("table", "list")}

    def test_a_deadline_is_met_by_the_scan_and_told_with_the_flow(self):
        time.sleep(1)
        self.c.send([udp("10.8.0.1", "10.8.0.9")])
        wait_until(lambda: self.stats() == {"soon": (1, 0), "slow": (1, 0)})
        self.set_ms(10 ** 6 + 4999)
        self.nothing()
        self.set_ms(10 ** 6 + 5000)
        key = "ip.src=10.8.0.1"
        self.assertEqual(sorted(self.tell(2)), [("slow", key, "HELD", "NEW"), ("soon", key, "HELD", "COLD")])
        self.assertEqual(self.stats(), {"soon": (1, 0), "slow": (0, 1)})
        self.set_ms(10 ** 6 + 11999)
        self.nothing()
        self.set_ms(10 ** 6 + 12000)
        self.assertEqual(self.tell(1), [("soon", key, "COLD", "NEW")])
        self.assertEqual(self.stats(), {"soon": (0, 1), "slow": (0, 1)})
        self.assertEqual(self.lab.json("global", "list", "brief")[0]["value"], 1)

    def test_a_table_that_asks_is_scanned_before_the_others(self):
        """A round begins after the scan of all, so in most rounds the next one is far away."""
        time.sleep(1)
        ahead = 0
        for i in range(5):
            self.c.send([udp(f"10.8.1.{i}", "10.8.0.9")])
            wait_until(lambda: self.stats()["slow"][0] == 1)
            self.set_ms(10 ** 6 + 5000 * (i + 1))
            at = {}
            wait_until(lambda: at.update({e["table"]: e["time_ms"] for e in self.told() if e["key"] == f"ip.src=10.8.1.{i}"}) or len(at) == 2)
            ahead += at["slow"] - at["soon"] > 100
        self.assertGreaterEqual(ahead, 3)

    def test_a_late_scan_tells_of_every_state_that_was_passed(self):
        time.sleep(1)
        self.c.send([udp("10.8.2.1", "10.8.0.9")])
        wait_until(lambda: self.stats()["soon"][0] == 1)
        self.set_ms(10 ** 6 + 60000)
        self.assertEqual([t for t in self.tell(3) if t[0] == "soon"],
                         [("soon", "ip.src=10.8.2.1", "HELD", "COLD"), ("soon", "ip.src=10.8.2.1", "COLD", "NEW")])
        self.assertEqual(self.stats()["soon"], (0, 1))


if __name__ == "__main__":
    unittest.main(verbosity=2)
