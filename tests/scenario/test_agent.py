# SPDX-License-Identifier: GPL-2.0-or-later
"""One agent by itself: no controller, everything through its local socket.

    c 10.6.0.1 --- p1 [ s1 ] p2 --- s 10.6.0.2
"""
import glob, os, re, subprocess, sys, time, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import BUILD, Lab, sh, wait_until
from frames import udp, only_udp

GATE = """app: gate
tables:
  - name: check
    rules:
      - {name: seven, match: {l4.dst: 7}, action: pass}
      - {name: rest, match: {ip.proto: udp}, action: drop}
"""


class Agent(unittest.TestCase):
    def setUp(self):
        self.lab = Lab("agent")
        self.addCleanup(self.lab.close)
        self.switch = self.lab.switch("s1", ["p1", "p2"], hooks=["xdp"])
        self.switch.extra["controllers"] = None
        self.c = self.lab.host("c", "s1", "p1", ip="10.6.0.1/24", mac="02:00:00:00:01:01")
        self.s = self.lab.host("s", "s1", "p2", ip="10.6.0.2/24", mac="02:00:00:00:02:01")
        self.gate = os.path.join(self.lab.dir, "gate.yaml")
        with open(self.gate, "w") as f:
            f.write(GATE)

    def mealy(self, *args, **kw):
        return self.lab.mealy(*args, agent="s1", **kw)

    def json(self, *args, **kw):
        return self.lab.json(*args, agent="s1", **kw)

    def bridge(self):
        self.mealy("app", "load", "examples/mac-learning.yaml", "--order", "90")
        self.c.run("ping", "-c1", "-W2", "10.6.0.2")
        self.s.received(quiet_s=0.05)

    def sent(self, n, dport=7, gap_s=0.001):
        self.c.send([udp("10.6.0.1", "10.6.0.2", dport=dport)] * n, gap_s)
        return len(self.s.received(filter=only_udp(dport), quiet_s=0.2))

    def version(self):
        return self.json("switch", "show")[0]["version"]

    def test_a_token_bucket_passes_its_burst_and_every_frame_has_an_exit(self):
        self.switch.start()
        self.bridge()
        self.mealy("app", "load", "examples/token-bucket.yaml", "--ports", "p1", "--order", "10")
        self.mealy("counter", "reset", "xdp/p1")
        self.assertEqual(self.sent(10), 5)
        rows = self.json("counter", "show")
        seen = next(r["packets"] for r in rows if r["name"] == "xdp/p1")
        exits = sum(r["packets"] for r in rows if r["scope"] == "exit" and r["name"].startswith("xdp/p1/"))
        self.assertEqual(seen, exits)
        self.assertEqual(next(r["packets"] for r in rows if r["name"] == "token-bucket/police/over-rate"), 5)

    def test_a_wrong_application_changes_nothing_and_says_where(self):
        self.switch.start()
        self.bridge()
        before = self.version()
        with open(self.gate, "w") as f:
            f.write(GATE.replace("l4.dst", "l4.dist"))
        out = self.mealy("app", "load", self.gate, status=1)
        self.assertRegex(out, r"gate.yaml:5:\d+: .*l4\.dist")
        out = self.mealy("app", "load", "examples/token-bucket.yaml", "--ports", "p9", status=1)
        self.assertIn('"p9"', out)
        out = self.mealy("app", "load", "examples/token-bucket.yaml", "--set", "sources=5000000", status=1)
        self.assertIn("flows_max", out)
        self.assertEqual(self.version(), before)
        self.assertEqual(self.sent(3), 3)

    def limited(self, extra_bytes):
        """Puts the agent into a group with little more memory than it has; skips where that cannot be done."""
        v1, v2 = "/sys/fs/cgroup/memory", "/sys/fs/cgroup"
        base, limit, usage = (v1, "memory.limit_in_bytes", "memory.usage_in_bytes") if os.path.isdir(v1) else (v2, "memory.max", "memory.current")
        group = os.path.join(base, self.switch.pin)
        try:
            os.mkdir(group)
            self.addCleanup(os.rmdir, group)
            with open(os.path.join(group, limit), "w") as f:
                f.write(str(extra_bytes))
            with open(os.path.join(group, "cgroup.procs"), "w") as f:
                f.write(str(self.switch.process.popen.pid))
        except OSError as e:
            self.skipTest(f"no memory group: {e}")
        self.addCleanup(self.switch.process.stop)

    def test_memory_that_the_kernel_refuses_changes_nothing(self):
        self.switch.start()
        self.bridge()
        before = self.version()
        self.limited(64 << 20)
        out = self.mealy("app", "load", "examples/token-bucket.yaml", "--set", "sources=3000000", "--ports", "p1", status=1)
        self.assertRegex(out, "[Mm]emory")
        self.assertEqual(self.version(), before)
        self.assertEqual(self.sent(3), 3)
        self.mealy("app", "load", "examples/token-bucket.yaml", "--set", "sources=1000", "--ports", "p1")

    def test_local_users_only_look_unless_told_otherwise(self):
        self.switch.extra["local_write"] = "no"
        self.switch.start()
        self.assertIn("--local-write", self.mealy("app", "load", self.gate, status=1))
        self.assertEqual(len(self.json("port", "list")), 2)

    def test_two_agents_cannot_share_a_state_directory(self):
        self.switch.start()
        out = self.switch.run(f"{BUILD}/agent/mealy-agent", "--config", self.switch.config, check=False)
        self.assertIn("another agent", out)
        self.assertIn("another agent", self.switch.run(f"{BUILD}/agent/mealy-agent", "--config", self.switch.config, "--unload", check=False))
        self.assertTrue(self.switch.process.alive())

    def test_two_agents_cannot_run_one_switch_from_two_state_directories(self):
        self.switch.start()
        self.bridge()
        other = os.path.join(self.lab.dir, "other")
        out = self.switch.run(f"{BUILD}/agent/mealy-agent", "--config", self.switch.config, "--state", other, check=False)
        self.assertIn("another agent runs the switch", out)
        self.assertEqual(self.sent(5), 5)
        self.assertTrue(self.switch.process.alive())

    def test_a_clean_end_leaves_the_switch_forwarding(self):
        self.switch.start()
        self.bridge()
        self.mealy("app", "load", self.gate, "--order", "10")
        self.assertEqual(self.switch.process.stop(), 0)
        self.assertEqual(self.sent(5), 5)
        self.assertEqual(self.sent(5, dport=8), 0)

    def test_a_killed_agents_successor_goes_on_with_the_same_version(self):
        self.switch.start()
        self.bridge()
        self.mealy("app", "load", self.gate, "--order", "10")
        before, flows = self.version(), self.lab.flows("mac-learning", "stations", agent="s1")
        self.switch.process.kill()
        self.assertEqual(self.sent(5), 5)
        self.switch.start()
        self.assertEqual(self.version(), before)
        self.assertEqual({r["eth.dst"] for r in self.lab.flows("mac-learning", "stations", agent="s1")}, {r["eth.dst"] for r in flows})
        self.assertEqual(self.sent(5), 5)
        self.assertEqual(self.sent(5, dport=8), 0)

    def test_a_damaged_version_is_told_and_the_one_before_is_used(self):
        self.switch.start()
        self.bridge()
        self.mealy("app", "load", self.gate, "--order", "10")
        version = self.version()
        self.switch.process.stop()
        self.switch.unload()
        path = os.path.join(self.switch.state_dir, f"version-{version}")
        with open(path, "r+b") as f:
            f.seek(200)
            f.write(b"\0\0\0")
        self.switch.start()
        self.assertIn("damaged", self.switch.process.text())
        self.assertEqual([r["name"] for r in self.json("app", "list")], ["mac-learning"])
        self.assertGreater(self.version(), version)

    def test_a_removed_application_frees_its_flows(self):
        self.switch.start()
        self.bridge()
        self.mealy("app", "load", "examples/token-bucket.yaml", "--ports", "p1", "--order", "10")
        self.sent(3)
        out = self.mealy("app", "remove", "token-bucket")
        self.assertNotIn("token-bucket", self.mealy("table", "list"))
        self.mealy("app", "load", "examples/token-bucket.yaml", "--ports", "p1", "--order", "10")
        self.assertEqual(self.lab.flows("token-bucket", "police", agent="s1"), [])

    def test_a_changed_parameter_keeps_the_flows(self):
        self.switch.start()
        self.bridge()
        self.mealy("app", "load", "examples/token-bucket.yaml", "--ports", "p1", "--order", "10", "--set", "rate=1pps")
        self.assertEqual(self.sent(10), 5)
        self.mealy("app", "set", "token-bucket", "burst=8")
        rows = self.lab.flows("token-bucket", "police", agent="s1")
        self.assertEqual([r["ip.src"] for r in rows], ["10.6.0.1"])

    def test_flows_are_written_read_and_deleted_by_name(self):
        self.switch.start()
        self.mealy("app", "load", "examples/token-bucket.yaml", "--ports", "p1")
        self.mealy("flow", "set", "token-bucket", "police", "ip.src=192.0.2.9", "state=METERED", "start=0", "end=0")
        rows = self.json("flow", "get", "token-bucket", "police", "ip.src=192.0.2.9")
        self.assertEqual(rows[0]["state"], "METERED")
        self.mealy("flow", "delete", "token-bucket", "police", "ip.src=192.0.2.9")
        self.mealy("flow", "get", "token-bucket", "police", "ip.src=192.0.2.9", status=1)

    def test_a_trace_predicts_and_alters_nothing(self):
        self.switch.start()
        self.bridge()
        self.mealy("app", "load", "examples/token-bucket.yaml", "--ports", "p1", "--order", "10")
        frame = udp("10.6.0.1", "10.6.0.2", dport=7).hex()
        for _ in range(7):
            out = self.mealy("trace", "--port", "p1", "--hex", frame)
        self.assertIn("first", out)
        self.assertEqual(self.lab.flows("token-bucket", "police", agent="s1"), [])
        self.assertEqual(self.sent(10), 5)
        self.assertIn("over-rate", self.mealy("trace", "--port", "p1", "--hex", frame))

    def test_standalone_passes_plainly_until_a_controller_comes(self):
        self.switch.extra.update({"controllers": f'["{self.lab.agents_url}"]', "fail_mode": "standalone", "standalone_after": "1s"})
        self.switch.start()
        self.mealy("app", "load", self.gate, "--hook", "xdp")
        wait_until(lambda: "plain pass" in self.mealy("switch", "show"), 5)
        self.assertEqual([r["name"] for r in self.json("app", "list")], ["gate"])

    def test_a_foreign_program_on_a_port_is_not_replaced(self):
        obj = os.path.join(self.lab.dir, "foreign.o")
        source = os.path.join(self.lab.dir, "foreign.c")
        with open(source, "w") as f:
            f.write('__attribute__((section("xdp"), used)) int foreign(void *ctx) { return 2; }\n'
                    'char _license[] __attribute__((section("license"))) = "GPL";\n')
        sh("clang", "-O2", "-target", "bpf", "-c", source, "-o", obj)
        self.switch.run("ip", "link", "set", "p2", "xdpdrv", "obj", obj, "sec", "xdp")
        self.switch.start()
        out = self.mealy("app", "load", self.gate, status=1)
        self.assertIn("p2", out)
        self.assertIn("foreign", out)
        self.assertIn("xdp", self.switch.run("ip", "link", "show", "p2"))

    def test_a_pattern_of_ports_that_fits_nothing_is_told(self):
        self.switch.extra["ports"] = '["p*", "wan7", "x?"]'
        text = self.switch.start().text()
        self.assertIn('no interface matches "wan7" yet', text)
        self.assertIn('no interface matches "x?" yet', text)
        self.assertNotIn('no interface matches "p*"', text)

    def test_ports_that_come_and_go_keep_their_numbers(self):
        self.switch.extra["ports"] = '["p*"]'
        self.switch.start()
        numbers = {r["name"]: r["number"] for r in self.json("port", "list")}
        self.switch.run("ip", "link", "add", "p9", "type", "veth", "peer", "name", "q9")
        wait_until(lambda: any(r["name"] == "p9" for r in self.json("port", "list")))
        nine = next(r["number"] for r in self.json("port", "list") if r["name"] == "p9")
        self.assertNotIn(nine, numbers.values())
        self.switch.run("ip", "link", "del", "p9")
        wait_until(lambda: next(r for r in self.json("port", "list") if r["name"] == "p9")["state"] != "up")
        self.switch.process.stop()
        self.switch.start()
        self.switch.run("ip", "link", "add", "p9", "type", "veth", "peer", "name", "q9")
        wait_until(lambda: any(r["name"] == "p9" and r["number"] == nine for r in self.json("port", "list")))

    def test_a_port_that_is_gone_can_be_forgotten(self):
        self.switch.extra["ports"] = '["p*"]'
        self.switch.start()
        ports = lambda: {r["name"]: r["number"] for r in self.json("port", "list")}
        self.switch.run("ip", "link", "add", "p9", "type", "veth", "peer", "name", "q9")
        wait_until(lambda: "p9" in ports())
        nine = ports()["p9"]
        self.assertIn("is here", self.mealy("port", "forget", "p9", status=1))
        self.mealy("app", "load", "examples/packet-counter.yaml", "--ports", "p1,p9")
        self.switch.run("ip", "link", "del", "p9")
        wait_until(lambda: next(r for r in self.json("port", "list") if r["name"] == "p9")["state"] == "absent")
        self.assertIn("packet-counter names port p9", self.mealy("port", "forget", "p9", status=1))
        self.mealy("app", "load", "examples/packet-counter.yaml", "--ports", "p1")
        self.assertIn(f"number {nine} is free", self.mealy("port", "forget", "p9"))
        self.assertNotIn("p9", ports())
        self.assertIn('no port has the name "p9"', self.mealy("port", "forget", "p9", status=1))
        self.switch.process.stop()
        self.switch.start()
        self.assertNotIn("p9", ports(), "the state directory has forgotten it too")
        self.switch.run("ip", "link", "add", "p8", "type", "veth", "peer", "name", "q8")
        wait_until(lambda: ports().get("p8") == nine)


if __name__ == "__main__":
    unittest.main(verbosity=2)
