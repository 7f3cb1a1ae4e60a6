# SPDX-License-Identifier: GPL-2.0-or-later
"""Loss of SRv6 flows, by libmealy-pfplm: the verbs of srv6_pfplm_helper_user, version 2.

    from pfplm import EbpfPFPLM, lib
    p = EbpfPFPLM()                               # the agent of this host; EbpfPFPLM(controller=URL, switch=NAME) for another
    p.load_egress("eth0")
    p.pfplm_add_flow(lib.FLOW_DIR_EGRESS, "fcff:3::1,fcff:4::1")
    p.pfplm_change_active_color(2)
    p.pfplm_get_flow_stats(lib.FLOW_DIR_EGRESS, "fcff:3::1,fcff:4::1", 2)       # packets
"""
import ctypes, os, sys

DEFAULT_AGENT = "ipc:///run/mealy/agent.sock"


class lib:
    """The constants."""
    FLOW_DIR_INGRESS, FLOW_DIR_EGRESS = 0, 1


class EbpfException(Exception):
    def __init__(self, errno, text):
        super().__init__(text)
        self.errno = errno

    def print_exception(self):
        print(f"pfplm: {self}", file=sys.stderr)


class Stats(ctypes.Structure):
    _fields_ = [("packets", ctypes.c_uint64), ("bytes", ctypes.c_uint64), ("times", ctypes.c_uint64)]


FLOW_FN = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)


def _library():
    so = ctypes.CDLL(os.environ.get("MEALY_PFPLM", "libmealy-pfplm.so.0"))
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint
    for name, result, *args in (
            ("open", ctypes.c_int, text, ctypes.c_bool, ctypes.c_bool, ctypes.POINTER(pointer)),
            ("close", None, pointer), ("error", text, pointer),
            ("load", ctypes.c_int, pointer, number, text, text, text), ("unload", ctypes.c_int, pointer, number),
            ("set_colour", ctypes.c_int, pointer, number),
            ("get_colour", ctypes.c_int, pointer, text, ctypes.POINTER(number)),
            ("add_flow", ctypes.c_int, pointer, number, text, text),
            ("del_flow", ctypes.c_int, pointer, number, text, text),
            ("list_flows", ctypes.c_int, pointer, number, text, FLOW_FN, pointer),
            ("get_stats", ctypes.c_int, pointer, number, text, text, number, ctypes.POINTER(Stats))):
        function = getattr(so, "pfplm_" + name)
        function.restype, function.argtypes = result, args
    return so


class EbpfPFPLM:
    """One switch; its flows and colours are those of all its interfaces, as in version 2."""

    def __init__(self, controller=None, agent=DEFAULT_AGENT, switch="", mark="ipv6.ecn", insecure=False):
        self.so = _library()
        self.switch, self.mark = switch.encode(), mark.encode()
        self.ports = {lib.FLOW_DIR_INGRESS: set(), lib.FLOW_DIR_EGRESS: set()}
        self.handle = ctypes.c_void_p()
        self._call(self.so.pfplm_open((controller or agent).encode(), controller is None, insecure,
                                      ctypes.byref(self.handle)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.so.pfplm_close(self.handle)
        self.handle = None

    def _call(self, r):
        if r < 0:
            why = self.so.pfplm_error(self.handle).decode() if self.handle else os.strerror(-r)
            raise EbpfException(-r, why)

    def _place(self, direction, ports):
        """Where the program is: these interfaces."""
        if ports:
            self._call(self.so.pfplm_load(self.handle, direction, self.switch, ",".join(sorted(ports)).encode(), self.mark))
        else:
            self._call(self.so.pfplm_unload(self.handle, direction))
        self.ports[direction] = ports

    def load_ingress(self, ifname, flags=0):
        self._place(lib.FLOW_DIR_INGRESS, self.ports[lib.FLOW_DIR_INGRESS] | {ifname})

    def load_egress(self, ifname, flags=0):
        self._place(lib.FLOW_DIR_EGRESS, self.ports[lib.FLOW_DIR_EGRESS] | {ifname})

    def unload_ingress(self, ifname, flags=0):
        self._place(lib.FLOW_DIR_INGRESS, self.ports[lib.FLOW_DIR_INGRESS] - {ifname})

    def unload_egress(self, ifname, flags=0):
        self._place(lib.FLOW_DIR_EGRESS, self.ports[lib.FLOW_DIR_EGRESS] - {ifname})

    def pfplm_change_active_color(self, color):
        self._call(self.so.pfplm_set_colour(self.handle, color))

    def pfplm_get_active_color(self):
        color = ctypes.c_uint()
        self._call(self.so.pfplm_get_colour(self.handle, self.switch, ctypes.byref(color)))
        return color.value

    def pfplm_add_flow(self, direction, segments):
        self._call(self.so.pfplm_add_flow(self.handle, direction, self.switch, segments.encode()))

    def pfplm_del_flow(self, direction, segments):
        self._call(self.so.pfplm_del_flow(self.handle, direction, self.switch, segments.encode()))

    def pfplm_list_flows(self, direction):
        flows = []
        take = FLOW_FN(lambda _, segments: flows.append(segments.decode()))
        self._call(self.so.pfplm_list_flows(self.handle, direction, self.switch, take, None))
        return flows

    def stats(self, direction, segments, color):
        """Packets and bytes."""
        stats = Stats()
        self._call(self.so.pfplm_get_stats(self.handle, direction, self.switch, segments.encode(), color, ctypes.byref(stats)))
        return stats.packets, stats.bytes

    def pfplm_get_flow_stats(self, direction, segments, color):
        return self.stats(direction, segments, color)[0]
