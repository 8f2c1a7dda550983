"""`cloud_runs.Provider`: another account, region or endpoint in the same program."""

from __future__ import annotations

from typing import Any

import pulumi

from cloud_runs.wire.settings import EXPLICIT, EXPLICIT_NAME, TIMES, Setting


def settings() -> dict[Setting, bool]:
    """All settings, those of each vendor that has a kind, and whether each is secret."""
    from cloud_runs import KINDS  # not before: it is made of what is imported first

    vendors = dict.fromkeys(kind.vendor for kind in KINDS.values())
    return {one: one in vendor.keys for vendor in vendors for one in vendor.settings} | dict.fromkeys(TIMES, False)


class Provider(pulumi.ProviderResource):
    """Credentials, regions and endpoints for the runs that name it in `ResourceOptions(provider=...)`.

    What is given here wins over the stack's configuration, and that wins over the environment; key, secret and token
    of a system are always taken from one of them. Keys, secrets and tokens are encrypted in the state.

    Never:

    - Creating, changing or replacing a provider never fires a run, and neither does giving a run another provider.
    - A part of a key pair is never taken from another place than the rest.
    """

    def __init__(
        self,
        resource_name: str,
        *,
        tencent_secret_id: pulumi.Input[str] | None = None,
        tencent_secret_key: pulumi.Input[str] | None = None,
        tencent_security_token: pulumi.Input[str] | None = None,
        tencent_region: pulumi.Input[str] | None = None,
        tencent_domain: pulumi.Input[str] | None = None,
        tencent_endpoint: pulumi.Input[str] | None = None,
        huawei_access_key: pulumi.Input[str] | None = None,
        huawei_secret_key: pulumi.Input[str] | None = None,
        huawei_security_token: pulumi.Input[str] | None = None,
        huawei_region: pulumi.Input[str] | None = None,
        huawei_cloud: pulumi.Input[str] | None = None,
        huawei_endpoint: pulumi.Input[str] | None = None,
        huawei_project_id: pulumi.Input[str] | None = None,
        huawei_dwr_endpoint: pulumi.Input[str] | None = None,
        enos_access_key: pulumi.Input[str] | None = None,
        enos_secret_key: pulumi.Input[str] | None = None,
        enos_org_id: pulumi.Input[str] | None = None,
        enos_user_id: pulumi.Input[str] | None = None,
        enos_api_version: pulumi.Input[str] | None = None,
        enos_endpoint: pulumi.Input[str] | None = None,
        start_seconds: pulumi.Input[float] | None = None,
        lag_seconds: pulumi.Input[float] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Credentials, regions and endpoints for the runs that name it in `ResourceOptions(provider=...)`.
        :param resource_name: The provider's name, which error texts use.
        :param tencent_secret_id: With `tencent_secret_key`; for temporary credentials also `tencent_security_token`.
        :param tencent_region: For runs that name no region, for example `ap-beijing`.
        :param tencent_domain: Where CI is: `myqcloud.com` (default) or `tencentci.cn`, which no page names; the
            vendor's SDKs for Android and iOS change over to it.
        :param tencent_endpoint: Where requests go instead of the service's own host, `https://host[:port]` (`http` for
            loopback only). The Host header that is signed stays the service's own.
        :param huawei_access_key: With `huawei_secret_key`; for temporary credentials also `huawei_security_token`.
        :param huawei_region: For runs that name no region, for example `cn-north-4`.
        :param huawei_cloud: The domain of the cloud, for example `myhuaweicloud.eu`; without it that of the region.
        :param huawei_endpoint: As `tencent_endpoint`, for OBS workflows.
        :param huawei_project_id: For DWR's runs that name no project.
        :param huawei_dwr_endpoint: As `tencent_endpoint`, for DWR and for the question to IAM which project is meant.
        :param enos_access_key: With `enos_secret_key`: an application's keys.
        :param enos_org_id: For runs that name no organization.
        :param enos_user_id: For runs that name no user.
        :param enos_api_version: For runs that name no version of the API: `2.0` (default) or `2.1`.
        :param enos_endpoint: The address of the customer's API gateway.
        :param start_seconds: How long a start may take, in seconds, 30 (default) to 600: a run that may have been
            started is looked for at least as long. Less is accepted only where the endpoint is this machine.
        :param lag_seconds: How late a run may show in the lists of its service, in seconds, 10 (default) to 600. Less
            is accepted only where the endpoint is this machine.
        :param opts: Pulumi's options.
        """
        given = dict(locals())
        opts = _options(resource_name, opts)
        inputs: dict[str, Any] = {EXPLICIT_NAME: resource_name}
        for setting, secret in settings().items():
            # The host of an explicit provider does not get the stack's configuration, so it is handed on.
            for full in setting.keys:
                namespace, _, key = full.partition(":")
                inputs[full] = pulumi.Config(namespace).get_secret(key)
            value = given[setting.argument]
            if value == "":
                raise ValueError(f"Provider {resource_name!r}: {setting.argument} is empty: leave it out or give it")
            if value is not None:
                inputs[EXPLICIT + setting.config] = pulumi.Output.secret(value) if secret else _text(value)
        super().__init__("pulumi-python", resource_name, inputs, opts)


def _options(name: str, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """With a provider that is deleted first the engine deletes all that have it, without asking them, and makes them
    anew: each run would be fired again. Raises ValueError for what leads to that."""
    made = pulumi.ResourceOptions.merge(None, opts)
    for option in ("delete_before_replace", "replace_with"):
        if getattr(made, option, None):
            raise ValueError(
                f"Provider {name!r}: the option {option} is refused: Pulumi would replace all runs that have this "
                "provider with it, and so fire them again"
            )
    made.delete_before_replace = False
    return made


def _text(value: pulumi.Input[Any]) -> pulumi.Input[Any]:
    """Numbers too: what is no text would reach the host as JSON."""
    if isinstance(value, str):
        return value
    return pulumi.Output.from_input(value).apply(lambda found: None if found is None else str(found))
