from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("imagepipe", "0012_version_frames")]

    operations = [
        migrations.AddField(
            model_name="noticepreference",
            name="quota_requests",
            field=models.BooleanField(
                default=True,
                verbose_name="E-mail me when somebody asks for more than a quota allows",
            ),
        ),
    ]
