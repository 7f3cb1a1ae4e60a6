# SPDX-License-Identifier: GPL-2.0-or-later
"""Keys: controller, switch and people over TCP, sealed; who is refused and why; rights, rotation, another controller.

    person --- tcp --- [ controller ] --- tcp --- [ s1 ]
"""
import os, sys, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, wait_until

APP = """app: gate
parameters: {limit: 5}
tables:
  - name: all
    rules: [{match: {ip.ttl: 1-5}, action: pass}]
"""


class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("keys")
        cls.addClassCleanup(cls.lab.close)
        cls.lab.tcp(17440)
        cls.lab.sealed = True
        cls.switch = cls.lab.switch("s1", ["p1"])
        cls.lab.host("c", "s1", "p1")
        cls.state = os.path.join(cls.lab.dir, "controller-state")
        cls.trusted = os.path.join(cls.state, "keys")
        cls.app = os.path.join(cls.lab.dir, "gate.yaml")
        with open(cls.app, "w") as f:
            f.write(APP)
        cls.lab.controller()
        cls.switch.start()

    def key(self, *args, keys=None, status=0):
        """`mealy key` on the controller's keys, or on others."""
        return self.lab.mealy("key", *args, "--keys", keys or self.trusted, status=status)

    def key_of(self, keys):
        return self.lab.json("key", "show", "--keys", keys)[0]["key"]

    def listed(self):
        return {k["key"]: (k["right"], k["name"]) for k in self.lab.json("key", "list", "--keys", self.trusted)}

    def connected(self):
        self.lab.connected("s1")

    def agent_says(self, text):
        wait_until(lambda: text in self.switch.process.text())

    def test_1_a_switch_is_refused_until_its_key_is_trusted_for_its_name(self):
        agent = self.key_of(os.path.join(self.switch.state_dir, "keys"))
        wait_until(lambda: self.listed().get(agent, ("",))[0] == "refused")
        self.agent_says(f"nobody trusts the key {agent} here")
        self.key("trust", agent, "agent", "other")
        wait_until(lambda: 'refused switch "s1": its key is for agent "other"' in self.lab.controller_process.text())
        self.key("trust", agent, "agent", "s1")
        self.key("trust", self.key_of(self.lab.keys), "admin", "anna")
        self.connected()

    def test_2_rights(self):
        person = self.key_of(self.lab.keys)
        self.key("trust", person, "read", "anna")
        self.assertEqual(self.lab.json("switch", "list")[0]["name"], "s1")
        self.assertIn('needs the right "deploy"; this key (anna) has "read"', self.lab.mealy("app", "load", self.app, status=1))
        self.key("trust", person, "deploy", "anna")
        self.lab.mealy("app", "load", self.app)
        self.assertIn('needs the right "admin"', self.lab.mealy("port", "forget", "p9", "--switch", "s1", status=1))
        self.key("trust", person, "operate", "anna")
        self.lab.mealy("app", "set", "gate", "limit=6")
        self.assertIn('needs the right "deploy"', self.lab.mealy("app", "remove", "gate", status=1))
        self.key("revoke", person)
        self.assertIn(f"nobody trusts the key {person} here", self.lab.mealy("switch", "list", status=1))
        self.key("trust", person, "admin", "anna")

    def test_3_rotated_keys_are_taken_over(self):
        before = {os.path.join(self.switch.state_dir, "keys"), self.lab.keys, self.trusted}
        old = {folder: self.key_of(folder) for folder in before}
        for folder in before:
            self.key("rotate", keys=folder)
        self.lab.controller_process.stop()
        self.lab.controller()
        self.connected()
        listed = self.listed()
        for folder in (os.path.join(self.switch.state_dir, "keys"), self.lab.keys):
            self.assertNotIn(old[folder], listed)
            self.assertIn(self.key_of(folder), listed)

    def test_4_a_controller_with_another_key_is_not_believed(self):
        identity = os.path.join(self.trusted, "identity")
        self.lab.controller_process.stop()
        os.rename(identity, identity + ".away")
        self.lab.controller()
        self.agent_says("its key has CHANGED")
        said = self.lab.mealy("switch", "list", status=1)
        self.assertIn("its key has CHANGED", said)
        self.assertIn("mealy key revoke", said)
        self.lab.controller_process.stop()
        os.rename(identity + ".away", identity)
        self.lab.controller()
        self.connected()

    def test_45_what_was_changed_is_written_down_and_can_be_taken_back(self):
        key = self.key_of(self.lab.keys)
        self.key("trust", key, "admin", "anna")
        self.lab.mealy("app", "load", self.app)
        self.lab.mealy("app", "set", "gate", "limit=7")
        self.lab.mealy("app", "remove", "gate")
        self.lab.mealy("app", "remove", "gate", status=1)
        versions = [v["version"] for v in self.lab.json("app", "rollback", "gate", "--list")]
        self.assertEqual(versions, sorted(versions, reverse=True))
        self.lab.mealy("app", "rollback", "gate")
        self.assertEqual(self.lab.json("app", "list")[0]["settings"], "limit=7")
        self.lab.mealy("app", "rollback", "gate", "--to", str(versions[1]))
        self.assertNotIn("limit=7", str(self.lab.json("app", "list")[0]))
        self.assertIn("there is no version 9999", self.lab.mealy("app", "rollback", "gate", "--to", "9999", status=1))
        rows = self.lab.json("log", "--limit", "6")
        self.assertEqual([r["what"].split(" (")[0] for r in rows],
                         ["deploy gate", "deploy gate", "remove gate", "remove gate", "deploy gate", "deploy gate"])
        self.assertEqual({r["who"] for r in rows}, {f"{key} anna"})
        self.assertIn("1 active", rows[1]["result"])
        self.assertIn("refused: there is no deployment", rows[3]["result"])
        self.key("trust", key, "read", "anna")
        self.lab.mealy("app", "remove", "gate", status=1)
        self.assertIn('that needs the right "deploy"', self.lab.json("log", "--limit", "1")[0]["result"])
        self.key("trust", key, "admin", "anna")

    def test_46_a_backup_is_restored_on_every_switch(self):
        self.key("trust", self.key_of(self.lab.keys), "admin", "anna")
        self.lab.mealy("app", "load", self.app)
        self.lab.mealy("app", "set", "gate", "limit=8")
        backup = os.path.join(self.lab.dir, "backup.sqlite")
        self.lab.mealy("controller", "backup", backup)
        self.assertIn("such a file already", self.lab.mealy("controller", "backup", backup, status=1))
        self.lab.mealy("app", "remove", "gate")
        with open(self.app + "2", "w") as f:
            f.write(APP.replace("gate", "door"))
        self.lab.mealy("app", "load", self.app + "2")
        self.assertIn("nothing was changed", self.lab.mealy("controller", "restore", self.app, status=1))
        self.lab.mealy("controller", "restore", backup)
        runs = lambda: [(d["name"], d["settings"]) for d in self.lab.json("app", "list", agent="s1")]
        wait_until(lambda: runs() == [("gate", "limit=8")])
        self.assertEqual([d["name"] for d in self.lab.json("app", "list")], ["gate"])

    def test_47_what_a_switch_should_not_run_is_shown(self):
        self.assertIn("s1 runs what it should", self.lab.mealy("switch", "diff", "s1"))
        with open(self.app + "3", "w") as f:
            f.write(APP.replace("gate", "stray"))
        self.lab.mealy("app", "load", self.app + "3", agent="s1")
        self.lab.mealy("app", "set", "gate", "limit=9", agent="s1")
        found = {d["app"]: d["difference"].split(":")[0] for d in self.lab.json("switch", "diff", "s1", status=1)}
        self.assertEqual(found, {"gate": "drift", "stray": "leftover"})
        self.lab.mealy("app", "remove", "stray", agent="s1")

    def test_5_without_keys_nobody_gets_through(self):
        self.assertIn("does not answer", self.lab.mealy("--insecure", "switch", "list", status=1))
        wait_until(lambda: "an unsealed frame" in self.lab.controller_process.text())
        self.assertIn("INSECURE", self.lab.mealy("--insecure", "switch", "list", status=1))


if __name__ == "__main__":
    unittest.main(verbosity=2)
