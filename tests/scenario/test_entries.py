# SPDX-License-Identifier: GPL-2.0-or-later
"""Entries of match tables: written, changed, listed, imported and exported while packets flow; the text's and people's.

    c --- p1 [ s1: router ] p2 --- s
"""
import json, os, sys, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, Load, wait_until
from frames import udp, only_udp

ROUTER = """app: router
tables:
  - name: routes
    key: {ip.dst: prefix}
    capacity: 20000
    values: [out]
    actions: {forward: output(out), blackhole: drop}
    entries:
      - {ip.dst: 10.7.0.0/16, action: blackhole}
      - {ip.dst: 10.8.0.0/16, action: forward, out: 2, name: eight}
    otherwise: drop
  - name: ports
    key: {udp.dst: range}
    capacity: 1000
    action: drop
"""
NEXT = ROUTER.replace("10.7.0.0/16", "10.9.0.0/16")
ROUTES = ("router", "routes")


class Entries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("entries")
        cls.addClassCleanup(cls.lab.close)
        cls.switch = cls.lab.switch("s1", ["p1", "p2"], hooks=["xdp"])
        cls.c = cls.lab.host("c", "s1", "p1", mac="02:00:00:00:01:01")
        cls.s = cls.lab.host("s", "s1", "p2", mac="02:00:00:00:02:01")
        cls.lab.start()

    def setUp(self):
        self.app_load(ROUTER)
        self.addCleanup(self.lab.mealy, "app", "remove", "router")
        self.s.received(quiet_s=0.05)

    def app_load(self, text):
        path = os.path.join(self.lab.dir, "router.yaml")
        with open(path, "w") as f:
            f.write(text)
        return self.lab.mealy("app", "load", path)

    def entry(self, verb, *args, status=0):
        return self.lab.mealy("entry", verb, *ROUTES, *args, status=status)

    def entries(self, table="routes", key="ip.dst"):
        return {e[key]: e for e in self.lab.json("entry", "list", "router", table)}

    def passes(self, dst):
        self.s.received(quiet_s=0.05)
        self.c.send([udp("192.0.2.1", dst, dport=7)])
        return len(self.s.received(filter=only_udp(7), want=1, quiet_s=0.3)) == 1

    def test_the_text_is_installed_and_counts(self):
        self.assertTrue(self.passes("10.8.0.1"))
        self.assertFalse(self.passes("10.7.0.1"))
        eight = self.entries()["10.8.0.0/16"]
        self.assertEqual((eight["packets"], eight["of"], eight["name"], eight["action"]), ("1", "text", "eight", "forward"))

    def test_one_is_added_changed_by_its_name_and_deleted(self):
        self.entry("add", "ip.dst=10.7.1.0/24", "action=forward", "out=2", "name=hole")
        self.assertTrue(self.passes("10.7.1.1"))
        self.assertIn("already", self.entry("add", "ip.dst=10.7.1.0/24", "action=forward", status=1))
        self.assertIn("another entry has its name",
                      self.entry("add", "ip.dst=10.7.3.0/24", "action=forward", "name=hole", status=1))
        self.entry("set", "name=hole", "action=blackhole")
        self.assertFalse(self.passes("10.7.1.1"))
        hole = self.entries()["10.7.1.0/24"]
        self.assertEqual((hole["out"], hole["packets"], hole["of"]), ("2", "2", "entry"))
        self.entry("delete", "name=hole")
        self.assertNotIn("10.7.1.0/24", self.entries())
        self.assertIn("no entry is named", self.entry("delete", "name=hole", status=1))
        self.assertIn("no action \"away\"", self.entry("set", "ip.dst=10.7.1.0/24", "action=away", status=1))

    def test_a_new_text_and_a_new_agent_leave_the_others(self):
        self.entry("set", "ip.dst=10.7.2.0/24", "action=forward", "out=2")
        self.passes("10.8.0.1")
        self.app_load(NEXT)
        self.assertEqual(set(self.entries()), {"10.9.0.0/16", "10.8.0.0/16", "10.7.2.0/24"})
        self.assertEqual(self.entries()["10.8.0.0/16"]["packets"], "1")
        self.switch.process.stop()
        self.switch.start()
        self.lab.connected("s1")
        self.assertEqual(set(self.entries()), {"10.9.0.0/16", "10.8.0.0/16", "10.7.2.0/24"})
        self.assertTrue(self.passes("10.7.2.1"))
        self.entry("set", "ip.dst=10.7.2.128/25", "action=blackhole")
        self.assertFalse(self.passes("10.7.2.129"))

    def test_a_switch_that_lost_everything_gets_them_again(self):
        self.entry("add", "ip.dst=10.7.4.0/24", "action=blackhole", "name=four")
        self.entry("set", "name=four", "action=forward", "out=2")
        self.entry("add", "ip.dst=10.7.5.0/24", "action=forward", "out=2")
        self.entry("delete", "ip.dst=10.7.5.0/24")
        self.switch.process.stop()
        self.switch.unload()
        self.switch.start()
        self.lab.connected("s1")
        wait_until(lambda: "10.7.4.0/24" in self.entries())
        four = self.entries()["10.7.4.0/24"]
        self.assertEqual((four["action"], four["out"], four["name"]), ("forward", "2", "four"))
        self.assertNotIn("10.7.5.0/24", self.entries())
        self.assertTrue(self.passes("10.7.4.1"))
        self.entry("delete", "--all")

    def test_import_while_packets_flow(self):
        load = Load(self.c, udp("192.0.2.1", "10.8.0.9", dport=7))
        load.start()
        path = os.path.join(self.lab.dir, "many.csv")
        with open(path, "w") as f:
            f.write("ip.dst,action,out\n# a comment\n")
            f.writelines(f"10.{100 + i // 256 % 100}.{i % 256}.0/24,forward,2\n" for i in range(5000))
        self.assertIn("5000 entries written", self.lab.mealy("entry", "import", *ROUTES, path))
        self.assertIn("5000 of 5000 were so already", self.lab.mealy("entry", "import", *ROUTES, path))
        sent = load.stop()
        exported = self.lab.mealy("entry", "export", *ROUTES).splitlines()
        self.assertEqual(len(exported), 5003)
        self.assertEqual(exported[0], "ip.dst,action,out,priority,idle,hard,name")
        self.assertTrue(self.passes("10.101.3.9"))
        self.entry("delete", "--all")
        self.assertEqual(set(self.entries()), {"10.7.0.0/16", "10.8.0.0/16"})
        back = os.path.join(self.lab.dir, "back.json")
        with open(back, "w") as f:
            f.write(json.dumps({"ip.dst": "10.55.0.0/16", "action": "forward", "out": 2}) + "\n")
            f.write(json.dumps({"action": "blackhole", "ip.dst": "10.56.0.0/16"}) + "\n")
        self.lab.mealy("entry", "import", *ROUTES, back)
        self.assertTrue(self.passes("10.55.0.1"))
        self.assertIn("10.56.0.0/16", self.entries())

    def test_a_refused_row_says_where(self):
        path = os.path.join(self.lab.dir, "bad.csv")
        with open(path, "w") as f:
            f.write("ip.dst,action\n10.1.0.0/16,blackhole\n10.2.0.0/33,blackhole\n")
        said = self.lab.mealy("entry", "import", *ROUTES, path, status=1)
        self.assertIn("row 2: ", said)
        self.assertIn("10.1.0.0/16", self.entries())

    def test_a_range_is_one_entry(self):
        self.lab.mealy("entry", "add", "router", "ports", "udp.dst=1000-2000")
        self.assertEqual(set(self.entries("ports", "udp.dst")), {"1000-2000"})
        self.lab.mealy("entry", "delete", "router", "ports", "udp.dst=1000-2000")
        self.assertEqual(self.entries("ports", "udp.dst"), {})


if __name__ == "__main__":
    unittest.main(verbosity=2)
