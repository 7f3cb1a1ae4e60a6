# SPDX-License-Identifier: GPL-2.0-or-later
"""One service before two servers: curl through `load-balancer`.

    c (10.1.0.2) --- p1 [ s1, service 10.9.9.9:80 ] p2 --- h2 (10.2.0.2:8080)
                                                    p3 --- h3 (10.3.0.2:8080)
"""
import os, subprocess, sys, tempfile, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, wait_until

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../examples/load-balancer.yaml")
SERVICE = "http://10.9.9.9/name"


class LoadBalancer(unittest.TestCase):
    hook = "xdp"

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("lb" + cls.hook.replace("-", ""))
        cls.addClassCleanup(cls.lab.close)
        cls.switch = cls.lab.switch("s1", ["p1", "p2", "p3"], hooks=[cls.hook])
        cls.switch.extra.update(controllers=None)
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        hosts = []
        for n, name in ((1, "c"), (2, "h2"), (3, "h3")):
            host = cls.lab.host(name, "s1", f"p{n}", ip=f"10.{n}.0.2/24")
            cls.switch.run("ip", "addr", "add", f"10.{n}.0.1/24", "dev", f"p{n}")
            host.run("ip", "route", "add", "default", "via", f"10.{n}.0.1")
            hosts.append(host)
        cls.c, cls.h2, cls.h3 = hosts
        cls.switch.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0",
                       "net.ipv4.conf.p1.rp_filter=0", "net.ipv4.conf.p2.rp_filter=0", "net.ipv4.conf.p3.rp_filter=0")
        cls.servers = {}
        for name in ("h2", "h3"):
            os.mkdir(os.path.join(cls.folder.name, name))
            with open(os.path.join(cls.folder.name, name, "name"), "w") as file:
                file.write(name)
            cls.start_server(name)
            cls.addClassCleanup(cls.stop_server, name)
        cls.switch.start()
        cls.lab.mealy("app", "load", EXAMPLE, "--hook", cls.hook, agent="s1")

    @classmethod
    def start_server(cls, name):
        host = cls.lab.hosts[name]
        cls.servers[name] = host.popen("/usr/bin/python3", "-W", "ignore", "-m", "http.server", "8080", "--directory",
                                       os.path.join(cls.folder.name, name), stderr=subprocess.DEVNULL)
        wait_until(lambda: "8080" in host.run("ss", "-ltn"))

    @classmethod
    def stop_server(cls, name):
        cls.servers[name].kill()
        cls.servers[name].wait()

    def ask(self, times):
        """Who answered."""
        return [self.c.run("curl", "-s", "--retry", "2", "--retry-all-errors", "-m", "5", SERVICE).strip() for _ in range(times)]

    def flows(self, table):
        return self.lab.json("flow", "dump", "load-balancer", table, agent="s1")

    def test_1_both_servers_answer_and_nobody_else(self):
        self.assertEqual(set(self.ask(16)), {"h2", "h3"})

    def test_2_a_connection_has_a_record_in_each_table(self):
        self.ask(1)
        self.assertEqual(len(self.flows("connections")), len(self.flows("replies")))
        self.assertTrue(self.flows("connections"))

    def test_3_one_that_is_drained_gets_no_new_connection(self):
        self.lab.mealy("group", "set", "load-balancer", "backends", "2", "--weight", "0", agent="s1")
        self.assertEqual(set(self.ask(8)), {"h2"})
        self.lab.mealy("group", "set", "load-balancer", "backends", "2", "--weight", "1", agent="s1")
        self.assertEqual(set(self.ask(16)), {"h2", "h3"})

    def test_4_forgotten_connections_give_their_ports_back(self):
        self.lab.mealy("flow", "flush", "load-balancer", "connections", agent="s1")
        self.assertEqual(self.flows("replies"), [])

    def test_5_the_kernel_answers_pings_and_arp(self):
        self.switch.run("ip", "addr", "replace", "10.9.9.9/32", "dev", "p1")
        self.c.run("ping", "-c", "1", "-W", "2", "10.9.9.9")
        self.switch.run("ip", "addr", "del", "10.9.9.9/32", "dev", "p1")

    def test_6_servers_that_answer_by_themselves(self):
        """Only the Ethernet destination is written: the service's address is the servers' own."""
        direct = EXAMPLE.replace(".yaml", "-dsr.yaml")
        for server in (self.h2, self.h3):
            server.run("ip", "addr", "add", "10.9.9.9/32", "dev", "lo")
            server.run("ip", "link", "set", "lo", "up")
        self.lab.mealy("app", "remove", "load-balancer", agent="s1")
        self.lab.mealy("app", "load", direct, "--hook", self.hook, "--set", "service=8080", agent="s1")
        for member, server in ((1, self.h2), (2, self.h3)):
            self.lab.mealy("group", "set", "load-balancer-dsr", "backends", str(member), f"hw={server.mac}", agent="s1")
        answers = [self.c.run("curl", "-s", "-m", "5", SERVICE.replace("10.9.9.9", "10.9.9.9:8080")).strip() for _ in range(16)]
        self.assertEqual(set(answers), {"h2", "h3"})


class LoadBalancerOnTc(LoadBalancer):
    hook = "tc-ingress"


if __name__ == "__main__":
    unittest.main(verbosity=2)
