"""One user per role, with a password of its own in ``log-ins.json``."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.models import Group, Permission, User
from wagtail.models import Collection, GroupCollectionPermission, GroupPagePermission, Page

from imagepipe.assets.models import Asset
from imagepipe.prompts.models import PromptTemplate


@dataclass(frozen=True)
class Role:
    """What a member may do: verbs on assets and images, and on pages."""

    user: str
    group: str
    does: str
    asset: tuple[str, ...] = ()
    image: tuple[str, ...] = ("choose",)
    page: tuple[str, ...] = ()
    template: tuple[str, ...] = ("view",)


ROLES = (
    Role(
        "editor",
        "Picture editors",
        "writes pages, asks for pictures",
        asset=("view", "generate", "change"),
        image=("choose", "add", "change"),
        page=("add", "change"),
        template=("view", "add", "change", "publish"),
    ),
    Role("reviewer", "Picture reviewers", "approves and rejects", asset=("view", "review")),
    Role("rights", "Rights managers", "records licences", asset=("view", "license")),
    Role(
        "publisher",
        "Picture publishers",
        "publishes pages and pictures, withdraws them",
        asset=("view", "publish", "change"),
        image=("choose", "change"),
        page=("add", "change", "publish"),
    ),
)
ADMINISTRATOR = "admin"


def create_people(log_ins: Path) -> dict[str, str]:
    """Make what is missing; return the password by user name.

    Passwords are random, made once per installation and kept in a file that only its owner
    can read.
    """
    passwords: dict[str, str] = json.loads(log_ins.read_text()) if log_ins.exists() else {}
    for role in ROLES:
        group, _made = Group.objects.get_or_create(name=role.group)
        _grant(group, role)
        user = _user(role.user, passwords)
        user.groups.add(group)
    administrator = _user(ADMINISTRATOR, passwords)
    administrator.is_staff = administrator.is_superuser = True
    administrator.save()
    whole = log_ins.with_name(f"{log_ins.name}.new")
    whole.touch(mode=0o600)
    whole.write_text(json.dumps(passwords, indent=2) + "\n")
    whole.replace(log_ins)
    return passwords


def _user(name: str, passwords: dict[str, str]) -> User:
    user, made = User.objects.get_or_create(
        username=name, defaults={"email": f"{name}@example.com"}
    )
    if made or name not in passwords:
        passwords[name] = passwords.get(name) or secrets.token_urlsafe(9)
        user.set_password(passwords[name])
        user.save()
    return user


def _grant(group: Group, role: Role) -> None:
    group.permissions.add(_permission("wagtailadmin", "access_admin"))
    for verb in role.template:
        name = f"{verb}_{PromptTemplate._meta.model_name}"
        group.permissions.add(_permission("imagepipe", name))
    root_collection = Collection.get_first_root_node()
    wanted = [
        _permission("imagepipe", f"{verb}_{Asset._meta.model_name}") for verb in role.asset
    ]
    # Wagtail asks for permissions of its own image model, whichever the site uses.
    wanted += [_permission("wagtailimages", f"{verb}_image") for verb in role.image]
    for permission in wanted:
        GroupCollectionPermission.objects.get_or_create(
            group=group, collection=root_collection, permission=permission
        )
    root_page = Page.get_first_root_node()
    for verb in role.page:
        GroupPagePermission.objects.get_or_create(
            group=group,
            page=root_page,
            permission=_permission("wagtailcore", f"{verb}_page"),
        )


def _permission(app: str, codename: str) -> Permission:
    return Permission.objects.get(content_type__app_label=app, codename=codename)
