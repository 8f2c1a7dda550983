"""Tencent Cloud CI (Cloud Infinite): workflows and inventory jobs, on `<bucket>.ci.<region>.myqcloud.com`."""
