# SPDX-License-Identifier: GPL-2.0-or-later
"""Globals: people set them within their range, packets see that at once; versions and agents come and go, values stay.

    c --- p1 [ s1: gate ] p2 --- s
"""
import os, sys, time, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import BUILD, Lab, Load
from frames import udp, only_udp

OTHER = os.path.join(BUILD, "tests/scenario/mealy-agent-other")
GATE = """app: gate
globals:
  open: {initial: 1, range: 0-1}
  through: 0
  longest: {initial: 1kB, range: 100B-2kB}
tables:
  - name: way
    rules:
      - {name: open, match: {udp.dst: 7}, when: open == 1 and length <= longest, do: through += 1, action: output(2)}
      - {name: closed, match: {udp.dst: 7}, action: drop}
"""
# The same globals with other initial values, and one more.
NEXT = GATE.replace("initial: 1,", "initial: 0,").replace("through: 0", "through: 5\n  added: 9") + \
    "      - {name: rest, action: drop}\n"


class Globals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("globals")
        cls.addClassCleanup(cls.lab.close)
        cls.switch = cls.lab.switch("s1", ["p1", "p2"], hooks=["xdp"])
        cls.c = cls.lab.host("c", "s1", "p1", mac="02:00:00:00:01:01")
        cls.s = cls.lab.host("s", "s1", "p2", mac="02:00:00:00:02:01")
        cls.frame = udp("10.6.0.1", "10.6.0.2", dport=7)
        cls.lab.start()

    def setUp(self):
        self.app_load(GATE)
        self.addCleanup(self.lab.mealy, "app", "remove", "gate")
        self.received(quiet_s=0.05)

    def restart(self, **settings):
        self.switch.process.stop()
        self.switch.extra = settings
        self.switch.start()
        self.lab.connected("s1")

    def app_load(self, text):
        path = os.path.join(self.lab.dir, "gate.yaml")
        with open(path, "w") as f:
            f.write(text)
        self.lab.mealy("app", "load", path)

    def rows(self, agent=None):
        return {r["name"]: r for r in self.lab.json("global", "list", "gate", agent=agent)}

    def values(self, agent=None):
        return {name: r["value"] for name, r in self.rows(agent).items()}

    def set(self, setting, agent=None, status=0):
        return self.lab.mealy("global", "set", "gate", setting, agent=agent, status=status)

    def received(self, want=None, quiet_s=0.3):
        return len(self.s.received(filter=only_udp(7), want=want, quiet_s=quiet_s))

    def passes(self):
        """Does a frame that is sent now come through?"""
        self.received(quiet_s=0.05)
        self.c.send([self.frame])
        return self.received(want=1) == 1

    def test_a_value_set_under_load_is_in_effect_when_the_command_returns(self):
        load = Load(self.c, self.frame)
        load.start()
        for agent in (None, "s1"):
            self.set("open=0", agent)
            time.sleep(0.05)                 # What the receiver's socket had not yet.
            self.received(quiet_s=0.0, want=100000)
            closed = self.values()["through"]
            self.assertEqual(self.received(want=1, quiet_s=0.2), 0, "closed while frames come")
            self.assertEqual(self.values()["through"], closed)
            self.set("open=1", agent)
            self.assertEqual(self.received(want=1, quiet_s=0.2), 1, "open again at once")
        sent = load.stop()
        rules = {r["name"].split("/")[-1]: r["packets"] for r in self.lab.json("counter", "show", "gate/way")}
        self.assertEqual(rules["open"] + rules["closed"], sent, "each frame met one of both")
        self.assertEqual(self.values()["through"], rules["open"])

    def test_every_packet_is_counted_once_while_people_write_another_global(self):
        load = Load(self.c, self.frame)
        load.start()
        for i in range(20):
            self.set(f"longest={1000 + i}B", agent="s1")
        sent = load.stop()
        self.assertEqual(self.received(want=sent, quiet_s=1), sent)
        self.assertEqual(self.values()["through"], sent)

    def test_what_is_listed(self):
        for agent in (None, "s1"):
            with self.subTest(agent=agent):
                rows = self.rows(agent)
                self.assertEqual(rows["open"], {**rows["open"], "app": "gate", "value": 1, "initial": 1, "range": "0-1"})
                self.assertEqual((rows["through"]["value"], rows["through"]["range"]), (0, "any"))
                self.assertEqual((rows["longest"]["value"], rows["longest"]["range"]), (1000, "100 B-2000 B"))
                text = self.lab.mealy("global", "list", agent=agent)
                self.assertRegex(text, r"gate +open +1 +1 +0-1")
                self.assertIn('there is no deployment "nobody"', self.lab.mealy("global", "list", "nobody", agent=agent, status=1))

    def test_set_tells_the_value_before(self):
        self.assertEqual(self.set("open=0").strip(), "open: 1 -> 0")
        self.assertEqual(self.lab.json("global", "set", "gate", "open=1"), [{"name": "open", "before": "0"}])
        self.set("longest=100B")
        self.assertTrue(self.passes())
        self.assertEqual(self.values()["longest"], 100)

    def test_what_is_refused_names_the_range_and_changes_nothing(self):
        before = self.values()
        for agent in (None, "s1"):
            for setting, status, why in (("open=2", 1, "2 is outside of the range of gate/open, which is 0-1"),
                                         ("open=1s", 1, '"1s" is no number, which gate/open is'),
                                         ("longest=3kB", 1, "3kB is outside of the range of gate/longest, which is 100B-2kB"),
                                         ("longest=1s", 1, '"1s" is no size, which gate/longest is'),
                                         ("nothing=1", 1, 'gate has no global "nothing"'),
                                         ("open", 2, 'expected NAME=VALUE, not "open"')):
                with self.subTest(agent=agent, setting=setting):
                    self.assertIn(why, self.set(setting, agent, status))
            self.assertIn('there is no deployment "other"', self.lab.mealy("global", "set", "other", "open=1", agent=agent, status=1))
        self.assertEqual(self.values(), before)

    def test_a_local_user_may_look_but_not_set_where_the_agent_says_so(self):
        self.restart(local_write="no")
        self.addCleanup(self.restart)
        self.assertIn("lets local users look, not change", self.set("open=0", "s1", 1))
        self.assertEqual(self.values("s1")["open"], 1)
        self.set("open=0")
        self.assertEqual(self.values("s1")["open"], 0)

    def test_a_new_version_keeps_values_and_begins_new_ones(self):
        self.set("through=40")
        load = Load(self.c, self.frame)
        load.start()
        time.sleep(0.1)
        self.app_load(NEXT)
        time.sleep(0.1)
        sent = load.stop()
        self.assertEqual(self.received(want=sent, quiet_s=1), sent)
        values = self.values()
        self.assertEqual((values["open"], values["through"], values["added"]), (1, 40 + sent, 9))
        self.assertEqual(self.rows()["open"]["initial"], 0)
        self.lab.mealy("app", "remove", "gate")
        self.assertEqual(self.lab.json("global", "list"), [])
        self.app_load(NEXT)
        self.assertEqual((self.values()["open"], self.values()["through"]), (0, 5), "ended with the name")

    def replace(self, binary=None):
        """The agent is killed under load and another one comes; frames sent."""
        load = Load(self.c, self.frame)
        load.start()
        time.sleep(0.2)
        self.switch.process.kill()
        time.sleep(0.2)
        self.switch.start(binary=binary)
        self.lab.connected("s1")
        time.sleep(0.2)
        return load.stop()

    def stays(self, binary=None):
        self.set("through=1000")
        sent = self.replace(binary)
        self.assertEqual(self.received(want=sent, quiet_s=1), sent)
        self.assertEqual(self.values()["through"], 1000 + sent)
        self.set("open=0")
        self.assertFalse(self.passes(), "the successor writes what packets read")

    def test_values_outlive_an_agent_that_is_killed(self):
        self.stays()

    @unittest.skipUnless(os.path.exists(OTHER), "the other agent is not built")
    def test_values_outlive_an_agent_of_another_build(self):
        self.stays(OTHER)

    def test_values_begin_again_after_a_reboot(self):
        self.set("open=0")
        self.assertFalse(self.passes())
        self.switch.process.stop()
        self.switch.unload()
        self.switch.start()
        self.lab.connected("s1")
        self.assertEqual(self.values()["open"], 1)
        self.assertTrue(self.passes())


if __name__ == "__main__":
    unittest.main(verbosity=2)
