# SPDX-License-Identifier: GPL-2.0-or-later
"""lab - switches, hosts and a controller in network namespaces, for the scenario tests and the demo.

    with Lab("bucket") as lab:
        lab.switch("s1", ports=["p1", "p2"])
        client = lab.host("c", "s1", "p1", ip="10.1.0.1/24")
        server = lab.host("s", "s1", "p2", ip="10.1.0.2/24")
        lab.start()
        lab.mealy("app", "load", "examples/mac-learning.yaml")
        client.send([frame])

Names of namespaces carry the process number, so labs run side by side; a lab whose process is gone is removed by
the next one.  Checksum offload is off on every interface, so a wrong checksum is seen.
"""
import atexit, contextlib, ctypes, fcntl, glob, json, os, select, shutil, signal, socket, subprocess, sys, tempfile, threading, time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("MEALY_BUILD", os.path.join(TOP, "build/debug"))
PREFIX = "mealy-lab-"
CLONE_NEWNET = 0x40000000
PACKET_IGNORE_OUTGOING = 23
SOL_PACKET = 263
PR_SET_PDEATHSIG = 1
PACKET_AUXDATA = 8
SO_RCVBUFFORCE = 33

libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    pass


def sh(*args, check=True, **kw):
    """Runs a command; its output as text.  A failure shows the command and what it said."""
    r = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kw)
    if check and r.returncode != 0:
        raise LabError(f"{' '.join(args)}: exit {r.returncode}\n{r.stdout}")
    return r.stdout


@contextlib.contextmanager
def inside(namespace):
    """This thread's new sockets belong to 'namespace' while the block runs."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if libc.setns(there, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        yield
    finally:
        libc.setns(home, CLONE_NEWNET)
        os.close(home)
        os.close(there)


def wait_until(what, seconds=10.0, step=0.02):
    """Polls 'what' until it is true; returns its value.  For what no event tells."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            raise LabError(f"waited {seconds} s in vain for {getattr(what, '__name__', what)}")
        time.sleep(step)


def reap():
    """Removes what labs of dead processes left behind."""
    try:
        names = os.listdir("/run/netns")
    except FileNotFoundError:
        return
    for name in names:
        if not name.startswith(PREFIX):
            continue
        pid = name[len(PREFIX):].split("-")[0]
        if pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
            sh("ip", "netns", "del", name, check=False)
    for base, prefix, end in (("/sys/fs/bpf/mealy", "lab_", "_"), (tempfile.gettempdir(), PREFIX, "-")):
        for name in os.listdir(base) if os.path.isdir(base) else ():
            pid = name[len(prefix):].split(end)[0]
            if name.startswith(prefix) and pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
                shutil.rmtree(os.path.join(base, name), ignore_errors=True)


def die_with_parent():
    """In a new child: a lab that is killed takes its daemons with it."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Process:
    """A daemon started by the lab; its log in a file; ready when it says so."""

    def __init__(self, lab, name, args, namespace=None):
        self.name, self.log_path = name, os.path.join(lab.dir, f"{name}.log")
        if namespace:
            args = ["nsenter", f"--net=/run/netns/{namespace}", "--"] + args
        self.log = open(self.log_path, "ab")
        self.offset = self.log.tell()
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1:abort_on_error=0", UBSAN_OPTIONS="print_stacktrace=1")
        self.popen = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=env,
                                      preexec_fn=die_with_parent)

    def sanitizer_report(self):
        """What a sanitizer said of this process, or None."""
        lines = self.text().splitlines()
        for i, line in enumerate(lines):
            if "runtime error:" in line or "ERROR: AddressSanitizer" in line or "ERROR: LeakSanitizer" in line:
                return f"{self.name}: " + "\n".join(lines[i:i + 25])
        return None

    def text(self):
        with open(self.log_path, errors="replace") as f:
            f.seek(self.offset)
            return f.read()

    def wait_ready(self, seconds=180):
        def ready():
            if self.popen.poll() is not None:
                raise LabError(f"{self.name} ended with {self.popen.returncode}:\n{self.text()}")
            return any(line.rstrip().endswith("ready") for line in self.text().splitlines())
        wait_until(ready, seconds)

    def alive(self):
        return self.popen.poll() is None

    def kill(self):
        self.popen.kill()
        self.popen.wait()

    def stop(self, seconds=10):
        if self.alive():
            self.popen.terminate()
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.popen.returncode


class Wire:
    """One end of a veth in a host: sends and receives whole frames."""

    def __init__(self, namespace, ifname):
        self.namespace, self.ifname = namespace, ifname
        with inside(namespace):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.sock.bind((ifname, 0))
            self.sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
            self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
            self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.sock.setblocking(False)

    def close(self):
        self.sock.close()

    def send(self, frames, gap_s=0.0):
        """Sends frames one after the other, 'gap_s' apart (0: as fast as the socket takes them)."""
        due = time.monotonic()
        for frame in frames:
            if gap_s:
                while time.monotonic() < due:
                    time.sleep(max(0.0, min(0.0005, due - time.monotonic())))
                due += gap_s
            while True:
                try:
                    self.sock.send(bytes(frame))
                    break
                except (BlockingIOError, OSError) as e:
                    if isinstance(e, OSError) and e.errno not in (11, 105):
                        raise
                    time.sleep(0.0002)

    def received(self, quiet_s=0.3, want=None, filter=None, limit_s=None):
        """Frames that came since the last call, until 'quiet_s' pass without one, or 'want' of them."""
        # Tens of thousands take this process longer to read than the network to carry.
        got, end = [], time.monotonic() + (limit_s or 10 + (want or 0) / 100)
        while want is None or len(got) < want:
            ready, _, _ = select.select([self.sock], [], [], quiet_s)
            if not ready or time.monotonic() > end:
                break
            frame = self._one()
            if frame is not None and (filter is None or filter(frame)):
                got.append(frame)
        return got

    def _one(self):
        try:
            data, anc, _, _ = self.sock.recvmsg(65536, 256)
        except BlockingIOError:
            return None
        for level, kind, aux in anc:                      # The tag that the kernel took off the frame.
            if level == SOL_PACKET and kind == PACKET_AUXDATA and len(aux) >= 20:
                status = int.from_bytes(aux[0:4], sys.byteorder)
                tci = int.from_bytes(aux[16:18], sys.byteorder)
                tpid = int.from_bytes(aux[18:20], sys.byteorder)
                if status & 0x10:
                    data = data[:12] + (tpid if status & 0x40 else 0x8100).to_bytes(2, "big") + tci.to_bytes(2, "big") + data[12:]
        return data


class Host:
    """A namespace with one interface, wired to a port of a switch."""

    def __init__(self, lab, name, switch, port, ip=None, ip6=None, mac=None):
        self.lab, self.name, self.namespace = lab, name, lab.namespace(name)
        self.mac = mac or f"02:00:00:00:{len(lab.hosts) + 1:02x}:01"
        self.ip = ip.split("/")[0] if ip else None
        self.ip6 = ip6.split("/")[0] if ip6 else None
        lab.veth(self.namespace, "eth0", lab.switches[switch].namespace, port, mac=self.mac)
        if ip:
            self.run("ip", "addr", "add", ip, "dev", "eth0")
        if ip6:
            self.run("ip", "addr", "add", ip6, "dev", "eth0", "nodad")
        self.wire = Wire(self.namespace, "eth0")

    def run(self, *args, **kw):
        return sh("ip", "netns", "exec", self.namespace, *args, **kw)

    def popen(self, *args, **kw):
        p = subprocess.Popen(["ip", "netns", "exec", self.namespace, *args], text=True, preexec_fn=die_with_parent, **kw)
        self.lab.popens.append(p)
        return p

    def send(self, frames, gap_s=0.0):
        self.wire.send(frames, gap_s)

    def received(self, **kw):
        return self.wire.received(**kw)


class Load(threading.Thread):
    """Paced frames from a host until stopped, while the main thread changes things; counts what it sent."""

    def __init__(self, host, frame, gap_s=0.0005):
        super().__init__(daemon=True)
        self.host, self.frame, self.gap_s, self.sent, self.stopping = host, frame, gap_s, 0, False

    def run(self):
        while not self.stopping:
            self.host.send([self.frame] * 20, self.gap_s)
            self.sent += 20

    def stop(self):
        self.stopping = True
        self.join()
        return self.sent


class Switch:
    def __init__(self, lab, name, ports, hooks=None):
        """hooks: those whose programs the agent loads (all): a start verifies for about 1.5 s a hook."""
        self.lab, self.name, self.ports = lab, name, ports
        self.namespace = lab.home or lab.namespace(name)
        self.state_dir = os.path.join(lab.dir, f"state-{name}")
        self.socket = f"ipc://{lab.dir}/{name}/agent.sock"
        self.pin = f"lab_{os.getpid()}_{lab.name}_{name}"
        self.config = os.path.join(lab.dir, f"{name}.yaml")
        self.extra, self.process = {"hooks": f"[{', '.join(hooks)}]"} if hooks else {}, None

    def write_config(self):
        lines = [f"name: {self.name}", f"controllers: [\"{self.lab.agents_url}\"]",
                 f"insecure: {'no' if self.lab.sealed else 'yes'}",
                 "ports: [" + ", ".join(self.ports) + "]", f"state: {self.state_dir}", f"pin: {self.pin}",
                 f"socket: \"{self.socket}\"", "local_write: yes"]
        keys = {line.split(":")[0] for line in lines}
        lines = [l for l in lines if l.split(":")[0] not in self.extra]
        lines += [f"{k}: {v}" for k, v in self.extra.items() if v is not None]
        with open(self.config, "w") as f:
            f.write("\n".join(lines) + "\n")

    def start(self, *flags, binary=None, ready=True):
        self.write_config()
        self.process = Process(self.lab, f"agent-{self.name}", [binary or f"{BUILD}/agent/mealy-agent", "--config", self.config, *flags],
                               self.namespace)
        self.lab.processes.append(self.process)
        if ready:
            self.process.wait_ready()
        return self.process

    def set_clock(self, now_ns):
        """The time that programs and agent read, of an agent with `test_clock: yes`; random numbers begin again."""
        pin = glob.glob(f"/sys/fs/bpf/mealy/{self.pin}/instance-*/test_clock")[0]
        value = now_ns.to_bytes(8, sys.byteorder) + bytes(8)
        sh("bpftool", "map", "update", "pinned", pin, "key", "0", "0", "0", "0", "value", *map(str, value))

    def unload(self, *flags):
        return sh("nsenter", f"--net=/run/netns/{self.namespace}", "--", f"{BUILD}/agent/mealy-agent", "--config", self.config,
                  "--unload", *flags, env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))

    def run(self, *args, **kw):
        return sh("nsenter", f"--net=/run/netns/{self.namespace}", "--", *args, **kw)


class Lab:
    def __init__(self, name):
        reap()
        self.name = name
        self.dir = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")
        self.agents_url = f"ipc://{self.dir}/controller/agents.sock"
        self.users_url = f"ipc://{self.dir}/controller/users.sock"
        self.hosts, self.switches, self.processes, self.popens, self.namespaces = {}, {}, [], [], []
        self.controller_process, self.home = None, None
        self.sealed, self.keys = False, os.path.join(self.dir, "person")
        self.closed = False
        atexit.register(self.close)
        for s in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(s, lambda *_: sys.exit(1))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and not issubclass(kind, KeyboardInterrupt):
            for p in self.processes:
                print(f"---- {p.name}: last lines\n" + "\n".join(p.text().splitlines()[-25:]), file=sys.stderr)
        self.close()

    def namespace(self, name):
        full = f"{PREFIX}{os.getpid()}-{self.name}-{name}"
        sh("ip", "netns", "add", full)
        self.namespaces.append(full)
        for knob in ("net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.all.autoconf=0",
                     "net.ipv6.conf.default.autoconf=0", "net.ipv6.conf.all.router_solicitations=0",
                     "net.ipv6.conf.default.router_solicitations=0", "net.ipv6.conf.default.addr_gen_mode=1"):
            sh("ip", "netns", "exec", full, "sysctl", "-qw", knob, check=False)
        sh("ip", "-n", full, "link", "set", "lo", "up")
        return full

    def veth(self, ns_a, if_a, ns_b, if_b, mac=None):
        sh("ip", "link", "add", if_a, "netns", ns_a, "type", "veth", "peer", "name", if_b, "netns", ns_b)
        if mac:
            sh("ip", "-n", ns_a, "link", "set", if_a, "address", mac)
        for ns, dev in ((ns_a, if_a), (ns_b, if_b)):
            sh("ip", "netns", "exec", ns, "ethtool", "-K", dev, "tx", "off", "gro", "on", check=False)
            sh("ip", "-n", ns, "link", "set", dev, "up")

    def switch(self, name, ports, **kw):
        self.switches[name] = Switch(self, name, ports, **kw)
        return self.switches[name]

    def host(self, name, switch, port, **kw):
        self.hosts[name] = Host(self, name, switch, port, **kw)
        return self.hosts[name]

    def tcp(self, port):
        """The controller in a namespace of its own is reached by TCP on its loopback, so every switch lives there too."""
        self.agents_url, self.users_url = f"tcp://127.0.0.1:{port}", f"tcp://127.0.0.1:{port + 1}"
        self.home = self.namespace("home")

    def controller(self, ready=True):
        self.controller_process = Process(self, "controller", [
            f"{BUILD}/controller/mealy-controller", "--agents", self.agents_url, "--users", self.users_url,
            "--state", os.path.join(self.dir, "controller-state"), *self.insecure()], self.home)
        self.processes.append(self.controller_process)
        if ready:
            self.controller_process.wait_ready()
        return self.controller_process

    def start(self, *flags):
        """Controller and every agent, until all switches are connected."""
        self.controller()
        for s in self.switches.values():
            s.start(*flags)
        self.connected(*self.switches)

    def connected(self, *names):
        def all_connected():
            rows = self.json("switch", "list")
            return {r["name"] for r in rows if r.get("connected")} >= set(names)
        wait_until(all_connected, 20)

    def insecure(self):
        return ["--insecure"] if self.home and not self.sealed else []

    def command(self, *args, agent=None):
        where = ["--agent", self.switches[agent].socket] if agent else ["--controller", self.users_url]
        enter = ["nsenter", f"--net=/run/netns/{self.home}", "--"] if self.home else []
        return [*enter, f"{BUILD}/cli/mealy", *where, "--keys", self.keys, *self.insecure(), *args]

    def run(self, *args, agent=None):
        """Runs the command; its CompletedProcess."""
        return subprocess.run(self.command(*args, agent=agent), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              cwd=TOP, env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))

    def mealy(self, *args, agent=None, status=0):
        """Runs the command; its output.  'status' is the exit code expected, None any."""
        r = self.run(*args, agent=agent)
        if status is not None and r.returncode != status:
            raise LabError(f"mealy {' '.join(args)}: exit {r.returncode}, expected {status}\n{r.stdout}{r.stderr}")
        return r.stdout + r.stderr

    def json(self, *args, agent=None, status=0):
        r = self.run("--json", *args, agent=agent)
        if status is not None and r.returncode != status:
            raise LabError(f"mealy --json {' '.join(args)}: exit {r.returncode}, expected {status}\n{r.stdout}{r.stderr}")
        return [json.loads(line) for line in r.stdout.splitlines() if line.strip()]

    def flows(self, app, table, *args, **kw):
        """Flows of a table as flat rows: key fields, registers and the rest."""
        rows = self.json("flow", "dump", app, table, *args, **kw)
        return [{**r, **r["key"], **r["registers"]} for r in rows]

    def close(self):
        if self.closed:
            return
        self.closed = True
        for p in self.popens:
            if p.poll() is None:
                p.kill()
                p.wait()
        for h in self.hosts.values():
            h.wire.close()
        for p in reversed(self.processes):
            p.stop(10)
        reports = [r for r in (p.sanitizer_report() for p in self.processes) if r]
        for s in self.switches.values():
            if os.path.exists(s.config):
                with contextlib.suppress(Exception):
                    s.unload("--forget")
        for ns in self.namespaces:
            sh("ip", "netns", "del", ns, check=False)
        if os.environ.get("MEALY_KEEP"):
            print(f"kept: {self.dir}", file=sys.stderr)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)
        atexit.unregister(self.close)
        if reports:
            raise LabError("\n".join(reports))
