# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers pushed and popped by the switch, against the kernel's own tunnels at the other end.

    c --- p1 [ s1 ] p2 --- s        c speaks plainly, s through its tunnel; what this kernel has not is skipped
"""
import os, sys, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, LabError

HERE4, THERE4, HERE6, THERE6 = "10.2.0.1", "10.2.0.2", "2001:db8:2::1", "2001:db8:2::2"
FAR4, FAR6 = "10.3.0.2", "2001:db8:3::2"
GATE, VX = "02:00:00:00:00:fe", "02:00:00:00:00:77"


class Tunnels(unittest.TestCase):
    hook = "xdp"

    def setUp(self):
        self.lab = Lab("tunnel" + self.hook.replace("-", ""))
        self.addCleanup(self.lab.close)
        self.switch = self.lab.switch("s1", ["p1", "p2"], hooks=[self.hook])
        self.switch.extra.update(controllers=None)
        self.c = self.lab.host("c", "s1", "p1", ip="10.1.0.2/24", ip6="2001:db8:1::2/64")
        self.s = self.lab.host("s", "s1", "p2", ip=f"{THERE4}/24", ip6=f"{THERE6}/64")
        for family, far, near in (("-4", FAR4, HERE4), ("-6", FAR6, HERE6)):
            self.c.run("ip", family, "route", "add", far, "dev", "eth0")
            self.c.run("ip", family, "neigh", "add", far, "lladdr", VX, "dev", "eth0", "nud", "permanent")
            self.s.run("ip", family, "neigh", "add", near, "lladdr", GATE, "dev", "eth0", "nud", "permanent")
        for knob in ("net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0", "net.ipv4.conf.eth0.rp_filter=0",
                     "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"):
            self.s.run("sysctl", "-qw", knob)
        self.switch.start()

    def device(self, *link):
        """The kernel's end, with the far addresses and the way back."""
        try:
            self.s.run("ip", "link", "add", "tun", *link)
        except LabError as e:
            self.skipTest(f"{' '.join(link[:3])}: {str(e).splitlines()[-1]}")
        self.s.run("ip", "link", "set", "tun", "up")
        self.s.run("ip", "addr", "add", f"{FAR4}/32", "dev", "tun", check=False)
        self.s.run("ip", "addr", "add", f"{FAR6}/128", "dev", "tun", "nodad", check=False)
        self.s.run("ip", "route", "add", "10.1.0.0/24", "dev", "tun", check=False)
        self.s.run("ip", "-6", "route", "add", "2001:db8:1::/64", "dev", "tun", check=False)

    def load(self, there, back):
        path = os.path.join(self.lab.dir, "tunnel.yaml")
        with open(path, "w") as f:
            f.write("app: tunnel\nparameters: {near: port, far: port}\ntables:\n  - name: t\n    rules:\n"
                    f"      - {{name: there, match: {{in_port: near, ip.dst: [{FAR4}, \"{FAR6}\"]}},"
                    f" action: \"{there}; eth.dst = {self.s.mac}; output(far)\"}}\n"
                    f"      - {{name: back, match: {{in_port: far, eth.dst: \"{GATE}\"}},"
                    f" action: \"{back}; eth.dst = {self.c.mac}; output(near)\"}}\n    otherwise: drop\n")
        self.lab.mealy("app", "load", path, "--hook", self.hook, "--set", "near=p1", "--set", "far=p2", agent="s1")

    def ping(self, *addresses):
        for address in addresses:
            for size in ("1", "56", "1201"):
                text = self.c.run("ping", "-c", "2", "-i", "0.1", "-W", "2", "-s", size, address)
                self.assertIn(" 0% packet loss", text)

    def outer(self, header, family):
        here, there = (HERE4, THERE4) if family == 4 else (HERE6, THERE6)
        return f"push({header}); ip.src = {here}; ip.dst = {there}"

    def test_4in4(self):
        self.device("type", "ipip", "local", THERE4, "remote", HERE4)
        self.load(self.outer("ipip", 4), "pop(ipip)")
        self.ping(FAR4)

    def test_6in4(self):
        self.device("type", "sit", "local", THERE4, "remote", HERE4)
        self.load(self.outer("ipip", 4), "pop(ipip)")
        self.ping(FAR6)

    def test_4in6_and_6in6(self):
        self.device("type", "ip6tnl", "mode", "any", "local", THERE6, "remote", HERE6)
        self.load(self.outer("ipip, 6", 6), "pop(ipip)")
        self.ping(FAR4, FAR6)

    def vxlan(self, family, options=()):
        here, there = (HERE4, THERE4) if family == 4 else (HERE6, THERE6)
        self.device("address", VX, "type", "vxlan", "id", "77", "local", there, "remote", here, "dstport", "4789", *options)
        for version, near in (("-4", "10.1.0.2"), ("-6", "2001:db8:1::2")):
            self.s.run("ip", version, "neigh", "add", near, "lladdr", self.c.mac, "dev", "tun", "nud", "permanent")
        self.load(self.outer("vxlan" if family == 4 else "vxlan, 6", family) + "; vxlan.vni = 77", "pop(vxlan)")
        self.ping(FAR4, FAR6)

    def test_vxlan_over_ipv4(self):
        self.vxlan(4)

    def test_vxlan_over_ipv6(self):
        self.vxlan(6, ("udp6zerocsumrx", "udp6zerocsumtx"))

    def segments(self, *routes):
        for knob in ("all", "default", "eth0", "lo"):
            self.s.run("sysctl", "-qw", f"net.ipv6.conf.{knob}.seg6_enabled=1")
        self.s.run("ip", "addr", "add", f"{FAR6}/128", "dev", "lo", "nodad")
        self.s.run("ip", "-6", "neigh", "add", "fc00:1::1", "lladdr", GATE, "dev", "eth0", "nud", "permanent")
        self.s.run("ip", "-6", "route", "add", "fc00:1::/64", "dev", "eth0")
        for route in routes:
            try:
                self.s.run("ip", "-6", "route", "add", *route.split())
            except LabError as e:
                self.skipTest(str(e).splitlines()[-1])

    def test_srv6_encapsulated(self):
        self.segments("fc00:9::1/128 encap seg6local action End dev eth0",
                      "fc00:2::1/128 encap seg6local action End.DT6 table 255 dev eth0",
                      "2001:db8:1::/64 encap seg6 mode encap segs fc00:1::1 dev eth0")
        self.load(f"push(srv6, fc00:9::1, fc00:2::1); ip.src = {HERE6}", "pop(srv6)")
        self.ping(FAR6)

    def test_srv6_inserted(self):
        # Linux's End gives nothing to its own host, so the first segment is an address of the host.
        self.segments("2001:db8:1::/64 encap seg6 mode inline segs fc00:1::1 dev eth0")
        self.load(f"push(srh, {THERE6})", "next_segment; pop(srh)")
        self.ping(FAR6)


class TunnelsOnTc(Tunnels):
    hook = "tc-ingress"


if __name__ == "__main__":
    unittest.main(verbosity=2)
