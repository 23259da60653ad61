#!/usr/bin/python3
"""A file system of Maildirs whose server does not answer, as that of a dead NFS mount: mailboxes on
other disks go on, people are told what hangs, and it is over when it answers again."""

from exsyncctl import Exsyncctl
from file_server import FileServer
from harness import case, check, check_equal, main, until
from mail import message
from scene import ANN, BEN, CARLA, Scene

DORA = "dora@example.com"
FAR = (ANN, CARLA, DORA)  # on the file system that hangs; Ben's mail is on another one
WARNING = 1
STOP_S = 5


class HungScene(Scene):
    """All have one message, and the file system is idle."""

    def __init__(self, disk, **arguments):
        super().__init__([ANN, BEN, CARLA, DORA], **arguments)
        self.disk = disk
        for address in FAR:
            self.mailboxes[address]["deliver"] = f"maildir:{disk.mount}/%u"
            (self.folder / "mail" / address).symlink_to(disk.source / address)
        self.write_configuration()

    def begin(self):
        self.add_to_all("before")
        self.daemon.start()
        self.until_all_have(1)
        self.until_polled(*self.mailboxes)

    def add_to_all(self, subject):
        for address in self.mailboxes:
            self.exchange.add(address, message(subject))

    def until_all_have(self, count):
        for address in self.mailboxes:
            self.until_delivered(address, count)

    def check_all(self):
        for address in self.mailboxes:
            self.check_delivered(address)
            self.check_agreement(address)


@case("a file system that hangs keeps its own mailboxes waiting and no others; it is told, and over")
def _():
    with FileServer() as disk, HungScene(disk) as scene:
        tool = Exsyncctl(scene)
        scene.begin()
        with disk.frozen():
            scene.add_to_all("while it hangs")
            scene.until_delivered(BEN, 2)
            line = scene.daemon.until_logged(f"the file system {disk.mount} has not answered")
            check("Check the disk" in line and "the others go on" in line, f"it says {line!r}")

            # Those whose cycle hangs are in trouble, not only those that are refused meanwhile.
            def in_trouble():
                shown = tool.answers("mailbox", "list", "--trouble")
                return len(shown) == len(FAR) and shown
            for shown in until(in_trouble, "the mailboxes there are in trouble"):
                trouble = shown["incoming"]["trouble"]
                check_equal((shown["state"], trouble["code"], trouble["error"]),
                            ("failing", "DiskHangs", str(disk.mount)), shown["address"])
            check_equal(tool.run("check")[0], WARNING, "status of exsyncctl check")
            alerts = until(lambda: tool.answers("alerts"), "an alert is open")
            said = tool.output("alerts", alerts[0]["alert"])
            check("Check the disk" in said and str(disk.mount) in said, f"the alert says {said!r}")
            scene.exchange.add(BEN, message("all the same"))
            scene.until_delivered(BEN, 3)
            scene.until_polled(BEN)
            for address in FAR:
                check_equal(scene.maildir(address).count(), 1, f"messages of {address}")
        for address in FAR:
            scene.until_delivered(address, 2)
        scene.daemon.until_logged(f"the file system {disk.mount} answers again")
        check_equal(len(scene.daemon.log_lines("has not answered")), 1, "lines about it")
        until(lambda: not scene.ledger.unresolved(), "no failure is left")
        check_equal(tool.answers("mailbox", "list", "--trouble"), [], "in trouble")
        scene.until_polled(*scene.mailboxes)
        scene.check_all()


@case("a stop and a start while a file system hangs: in time, and nothing is lost or twice")
def _():
    with FileServer() as disk, HungScene(disk) as scene:
        # What hangs at the end is left behind.
        scene.daemon.environment["ASAN_OPTIONS"] = "detect_leaks=0"
        scene.begin()
        with disk.frozen():
            scene.add_to_all("at the stop")
            scene.until_delivered(BEN, 2)
            until(lambda: scene.exchange.counter("requests.GetItem") == 2 * len(scene.mailboxes),
                  "all were fetched")
            seconds = scene.daemon.stop()
            check(seconds < STOP_S, f"it took {seconds:.1f} s")
            scene.daemon.start()
            scene.until_polled(BEN)
            scene.exchange.add(BEN, message("after the start"))
            scene.until_delivered(BEN, 3)
            scene.reload()
            seconds = scene.daemon.stop()
            check(seconds < STOP_S, f"the second stop took {seconds:.1f} s")
            scene.daemon.start()
            scene.until_polled(BEN)
        scene.until_all_have(2)
        until(lambda: not scene.ledger.unresolved(), "no failure is left")
        scene.until_polled(*scene.mailboxes)
        scene.check_all()


main()
