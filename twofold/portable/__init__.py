"""The portable blocks: one file each, a rich class over a small driver Protocol."""
