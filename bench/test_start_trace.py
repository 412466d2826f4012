"""What is read out of a trace."""

import unittest

from start_trace import parse

TRACE = """\
100   execve("/opt/bootstrap", ["/opt/bootstrap"], 0x7ffd /* 9 vars */) = 0
100   openat(AT_FDCWD</var/task>, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3</etc/ld.so.cache>
100   read(3</usr/lib/libc.so.6>, ""..., 832) = 832
100   pread64(3</usr/lib/libc.so.6>, ""..., 784, 64) = 784
100   read(4</proc/100/maps>, ""..., 1024) = 1024
100   openat(AT_FDCWD</var/task>, "/none", O_RDONLY) = -1 ENOENT (No such file or directory)
101   read(7</etc/ca.pem>,  <unfinished ...>
100   read(5<socket:[123]>, ""..., 100) = 50
101   <... read resumed>""..., 8192) = 4096
101   read(7</etc/ca.pem>, "", 8192) = 0
100   openat(AT_FDCWD</var/task>, "/etc/ca.pem", O_RDONLY <unfinished ...>
101   write(1<pipe:[1]>, ""..., 5) = 5
100   <... openat resumed>) = 7</etc/ca.pem>
101   --- SIGKILL {si_signo=SIGKILL} ---
101   +++ killed by SIGKILL +++
"""


class Trace(unittest.TestCase):
    def test_files_bytes_and_calls_are_counted_also_where_threads_interrupt_each_other(self):
        start = parse(TRACE)
        self.assertEqual(start.opened, ["/etc/ld.so.cache", "/etc/ca.pem"])
        self.assertEqual(start.missing, ["/none"])
        self.assertEqual(dict(start.read), {"/usr/lib/libc.so.6": 1616, "/proc/100/maps": 1024, "/etc/ca.pem": 4096})
        self.assertEqual(start.bytes_read(), 5712)
        self.assertEqual(dict(start.calls), {"execve": 1, "openat": 3, "read": 5, "pread64": 1, "write": 1})


if __name__ == "__main__":
    unittest.main()
