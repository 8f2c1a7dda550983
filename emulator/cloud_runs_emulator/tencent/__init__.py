"""Tencent Cloud CI (Cloud Infinite): workflows and inventory jobs, on `<bucket>.ci.<region>.myqcloud.com`
and `<bucket>.ci.<region>.tencentci.cn`."""
