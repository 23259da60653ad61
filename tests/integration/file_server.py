"""A file system that a process serves, as NFS is by a server: it can stop answering, and go on later.

    with FileServer() as disk, Scene([ANN]) as scene:
        scene.mailboxes[ANN]["deliver"] = f"maildir:{disk.mount}/%u"
        with disk.frozen():    # who touches disk.mount waits until the end

Whoever waits can be killed, as with a hard mount of NFS. `disk.source` shows what is there behind
the server's back, also while it is frozen.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

from harness import Broken, Skipped, until


class FileServer:
    def __init__(self):
        if os.geteuid() != 0:
            raise Skipped("only root can mount a file system that a process serves")
        if not os.access("/dev/fuse", os.R_OK | os.W_OK):
            raise Skipped("there is no /dev/fuse")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="exsyncd-files-"))
        self.source, self.mount = self.folder / "source", self.folder / "mount"
        for path in (self.source, self.mount):
            path.mkdir()
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "/usr/bin/python3", __file__, self.source, self.mount],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            until(self._serves, f"{self.mount} is mounted")
        except BaseException:
            self.close()
            raise

    def _serves(self):
        if self.process.poll() is None:
            return os.path.ismount(self.mount)
        said = self.process.stdout.read().strip()
        kind = Skipped if "Operation not permitted" in said else Broken
        raise kind(f"nothing can be mounted by FUSE: {said[-300:]}")

    @contextlib.contextmanager
    def frozen(self):
        self.process.send_signal(signal.SIGSTOP)
        try:
            until(lambda: self._state() == "T", "the file server has stopped")
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def _state(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        return status.rpartition(")")[2].split()[0]

    def close(self):
        """Who still waits gets an error."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        subprocess.run(["umount", "--lazy", self.mount], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.close()


# --- the server ---------------------------------------------------------------------------------

def serve(source, mount):
    import fusepy

    class Folder(fusepy.Operations):
        """All as it is in `source`."""
        use_ns = True

        def at(self, path):
            return source + path

        def getattr(self, path, fh=None):
            found = os.lstat(self.at(path))
            times = {f"st_{kind}time": getattr(found, f"st_{kind}time_ns") for kind in "amc"}
            return times | {name: getattr(found, name) for name in
                            ("st_mode", "st_nlink", "st_uid", "st_gid", "st_size", "st_ino")}

        def readdir(self, path, fh):
            return [".", "..", *os.listdir(self.at(path))]

        def statfs(self, path):
            found = os.statvfs(self.at(path))
            return {name: getattr(found, name) for name in
                    ("f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree",
                     "f_favail", "f_namemax")}

        def create(self, path, mode, fi=None):
            return os.open(self.at(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

        def open(self, path, flags):
            return os.open(self.at(path), flags)

        def read(self, path, size, offset, fh):
            return os.pread(fh, size, offset)

        def write(self, path, data, offset, fh):
            return os.pwrite(fh, data, offset)

        def fsync(self, path, datasync, fh):
            os.fsync(fh)

        def release(self, path, fh):
            os.close(fh)

        def mkdir(self, path, mode):
            os.mkdir(self.at(path), mode)

        def chmod(self, path, mode):
            os.chmod(self.at(path), mode)

        def chown(self, path, uid, gid):
            os.chown(self.at(path), uid, gid)

        def rename(self, old, new):
            os.rename(self.at(old), self.at(new))

        def truncate(self, path, length, fh=None):
            os.truncate(self.at(path), length)

        def unlink(self, path):
            os.unlink(self.at(path))

        def rmdir(self, path):
            os.rmdir(self.at(path))

    fusepy.FUSE(Folder(), mount, foreground=True, allow_other=True, fsname="exsyncd-test")


if __name__ == "__main__":
    serve(*sys.argv[1:])
