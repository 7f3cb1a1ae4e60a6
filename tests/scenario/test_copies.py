# SPDX-License-Identifier: GPL-2.0-or-later
"""mirror and emit at tc: what goes besides the packet, and that the packet itself goes on unharmed.

    c --- p1 [ s1 ] p2 --- s
                    p3 --- m
"""
import os, sys, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, wait_until
from frames import A, B, checksums_ok, only_udp, udp
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

NOTE = bytes(Ether(src="02:00:00:00:00:aa", dst="02:00:00:00:00:bb") / IP(src="192.0.2.1", dst="192.0.2.2", id=0)
             / UDP(sport=7, dport=77) / Raw(b"somebody came by"))
HEAD = f"""app: copies
parameters: {{near: port, far: port, third: port}}
templates:
  note: {{bytes: "{NOTE.hex()}", set: {{eth.src: eth.dst, ip.src: ip.src, udp.src: l4.src}}}}
tables:
"""
COPY, EMIT = 'ip.ttl -= 1; mirror(third); l4.dst = 8', 'emit(note, third); l4.dst = 11'
RULES = {
    "tc-ingress": f"""  - name: t
    hook: tc-ingress
    rules:
      - {{name: copy, match: {{in_port: near, l4.dst: 9}}, action: "{COPY}; output(far)"}}
      - {{name: note, match: {{in_port: near, l4.dst: 10}}, action: "{EMIT}; output(far)"}}
""",
    "tc-egress": f"""  - name: there
    hook: tc-ingress
    rules: [{{match: {{in_port: near}}, action: output(far)}}]
  - name: t
    hook: tc-egress
    rules:
      - {{name: copy, match: {{out_port: far, l4.dst: 9}}, action: "{COPY}; pass"}}
      - {{name: note, match: {{out_port: far, l4.dst: 10}}, action: "{EMIT}; pass"}}
"""}


class Copies(unittest.TestCase):
    hook = "tc-ingress"

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("copies" + cls.hook.replace("-", ""))
        cls.addClassCleanup(cls.lab.close)
        cls.switch = cls.lab.switch("s1", ["p1", "p2", "p3"])
        cls.switch.extra.update(controllers=None)
        for n, name in enumerate("csm", 1):
            setattr(cls, name, cls.lab.host(name, "s1", f"p{n}"))
        cls.switch.start()
        cls.path = os.path.join(cls.lab.dir, "copies.yaml")
        with open(cls.path, "w") as f:
            f.write(HEAD + RULES[cls.hook])
        cls.lab.mealy("app", "load", cls.path, "--hook", "tc-ingress", "--set", "near=p1", "--set", "far=p2", "--set", "third=p3",
                      agent="s1")

    def exchange(self, *frames):
        self.s.received(quiet_s=0.05)
        self.m.received(quiet_s=0.05)
        self.c.send(frames)
        got = [h.received(filter=only_udp(), want=len(frames)) for h in (self.s, self.m)]
        for frame in got[0] + got[1]:
            self.assertTrue(checksums_ok(frame))
        return [[Ether(f) for f in side] for side in got]

    def test_a_copy_is_the_packet_as_it_is_then(self):
        for src, dst, ip in (("10.1.0.1", "10.1.0.2", IP), ("2001:db8::1", "2001:db8::2", IPv6)):
            sent = Ether(udp(src, dst, dport=9, payload=b"p" * 100))
            packets, copies = self.exchange(bytes(sent))
            ttl = "ttl" if ip is IP else "hlim"
            self.assertEqual([(getattr(p[ip], ttl), p[UDP].dport, bytes(p[Raw])) for p in packets], [(63, 8, b"p" * 100)])
            self.assertEqual([(getattr(p[ip], ttl), p[UDP].dport, bytes(p[Raw])) for p in copies], [(63, 9, b"p" * 100)])

    def test_an_emitted_packet_has_fields_of_the_one_that_came(self):
        for size in (0, 1, 100, 1400):
            load = bytes(i * 7 & 255 for i in range(size))
            packets, notes = self.exchange(udp("10.1.0.1", "10.1.0.2", sport=4000 + size, dport=10, payload=load))
            expected = Ether(udp("10.1.0.1", "10.1.0.2", sport=4000 + size, dport=11, payload=load))
            self.assertEqual([bytes(p) for p in packets], [bytes(expected)])
            note = Ether(NOTE)
            note.src, note[IP].src, note[UDP].sport = B, "10.1.0.1", 4000 + size
            del note[IP].chksum, note[UDP].chksum
            self.assertEqual([bytes(p) for p in notes], [bytes(note)])

    def test_many_in_a_row(self):
        n = 50
        packets, notes = self.exchange(*[udp("10.1.0.1", "10.1.0.2", dport=(9, 10)[i % 2], payload=bytes([i]) * 60) for i in range(n)])
        self.assertEqual((len(packets), len(notes)), (n, n))
        self.assertEqual([bytes(p[Raw]) for p in packets], [bytes([i]) * 60 for i in range(n)])

    def test_xdp_refuses_it(self):
        text = self.lab.mealy("app", "check", self.path, "--set", "near=1", "--set", "far=2", "--set", "third=3")
        with open(self.path) as f:
            xdp = f.read().replace("hook: tc-ingress", "hook: xdp").replace("hook: tc-egress", "hook: xdp")
        path = os.path.join(self.lab.dir, "xdp.yaml")
        with open(path, "w") as f:
            f.write(xdp)
        text = self.lab.mealy("app", "check", path, "--set", "near=1", "--set", "far=2", "--set", "third=3", status=1)
        self.assertIn("which XDP cannot", text)


class CopiesAtEgress(Copies):
    hook = "tc-egress"


if __name__ == "__main__":
    unittest.main(verbosity=2)
