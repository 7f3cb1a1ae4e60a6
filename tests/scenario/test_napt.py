# SPDX-License-Identifier: GPL-2.0-or-later
"""A subnet behind one address: ping, nc and frames through `napt`.

    c (10.0.0.2) --- p1 [ s1, 203.0.113.1 ] p2 --- s (203.0.113.9)
"""
import json, os, sys, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, wait_until
from frames import udp, checksums_ok, only_udp
from scapy.layers.inet import ICMP, IP, UDP, IPerror, UDPerror
from scapy.layers.l2 import Ether

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../examples/napt.yaml")
PUBLIC, SERVER, INSIDE = "203.0.113.1", "203.0.113.9", "10.0.0.2"


class Napt(unittest.TestCase):
    hook = "xdp"

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("napt" + cls.hook.replace("-", ""))
        cls.addClassCleanup(cls.lab.close)
        cls.switch = cls.lab.switch("s1", ["p1", "p2"], hooks=[cls.hook])
        cls.switch.extra.update(controllers=None)
        cls.c = cls.lab.host("c", "s1", "p1", ip=f"{INSIDE}/24")
        cls.s = cls.lab.host("s", "s1", "p2", ip=f"{SERVER}/24")
        cls.switch.run("ip", "addr", "add", "10.0.0.1/24", "dev", "p1")
        cls.switch.run("ip", "addr", "add", f"{PUBLIC}/24", "dev", "p2")
        cls.c.run("ip", "route", "add", "default", "via", "10.0.0.1")
        # What `route` leaves to the kernel has the kernel's own address for its source by then.
        cls.switch.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.p1.accept_local=1",
                       "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.p1.rp_filter=0")
        cls.switch.start()
        cls.lab.mealy("app", "load", EXAMPLE, "--hook", cls.hook, agent="s1")

    def mac(self, port):
        return json.loads(self.switch.run("ip", "-j", "link", "show", port))[0]["address"]

    def outward(self, **ip):
        return udp(INSIDE, SERVER, smac=self.c.mac, dmac=self.mac("p1"), **ip)

    def flows(self, table):
        return self.lab.json("flow", "dump", "napt", table, agent="s1")

    def test_1_ping(self):
        self.c.run("ping", "-c", "3", "-i", "0.2", "-W", "2", SERVER)
        self.assertTrue(self.flows("mappings"))

    def test_2_the_server_sees_the_public_address_and_the_answer_comes_back(self):
        self.c.run("ping", "-c", "1", SERVER)
        self.s.received(quiet_s=0.1)
        self.c.send([self.outward(sport=4000, dport=53)])
        frames = self.s.received(filter=only_udp(53), want=1)
        self.assertEqual(len(frames), 1)
        packet = Ether(frames[0])
        self.assertEqual((packet[IP].src, packet[UDP].sport, packet[IP].ttl), (PUBLIC, 4000, 63))
        self.assertTrue(checksums_ok(frames[0]))
        self.c.received(quiet_s=0.1)
        self.s.send([udp(SERVER, PUBLIC, smac=self.s.mac, dmac=self.mac("p2"), sport=53, dport=4000)])
        frames = self.c.received(filter=only_udp(4000), want=1)
        self.assertEqual([Ether(f)[IP].dst for f in frames], [INSIDE])
        self.assertTrue(checksums_ok(frames[0]))

    def test_3_tcp(self):
        server = self.s.popen("nc", "-l", "-p", "7000")
        wait_until(lambda: "7000" in self.s.run("ss", "-ltn"))
        self.c.run("sh", "-c", f"head -c 300000 /dev/zero | nc -N -w 5 {SERVER} 7000 || "
                   f"head -c 300000 /dev/zero | nc -q 1 -w 5 {SERVER} 7000")
        server.wait(10)
        self.assertEqual(server.returncode, 0)

    def test_4_an_error_finds_the_inside_by_the_packet_it_quotes(self):
        self.c.received(quiet_s=0.1)
        self.c.send([self.outward(sport=4001, dport=9)])    # Nobody listens: the server's kernel answers.
        errors = [Ether(f) for f in self.c.received(filter=lambda f: ICMP in Ether(f), want=1)]
        self.assertEqual([(p[ICMP].type, p[IP].dst, p[IPerror].src, p[UDPerror].sport) for p in errors],
                         [(3, INSIDE, INSIDE, 4001)])
        self.assertTrue(checksums_ok(bytes(errors[0])))

    def test_5_a_stranger_does_not_get_in(self):
        self.c.received(quiet_s=0.1)
        self.s.send([udp(SERVER, PUBLIC, smac=self.s.mac, dmac=self.mac("p2"), sport=53, dport=4999)])
        self.assertEqual(self.c.received(filter=only_udp(4999), quiet_s=0.3), [])

    def test_6_who_ends_a_mapping_frees_its_port(self):
        self.c.send([self.outward(sport=4002, dport=53)])
        wait_until(lambda: [f for f in self.flows("holders") if "4002" in json.dumps(f)])
        self.lab.mealy("flow", "flush", "napt", "mappings", agent="s1")
        self.assertEqual(self.flows("holders"), [])


class NaptOnTc(Napt):
    hook = "tc-ingress"


if __name__ == "__main__":
    unittest.main(verbosity=2)
