from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("imagepipe", "0004_pending_purge")]

    operations = [
        migrations.AddField(
            model_name="registeredmodel",
            name="kind",
            field=models.CharField(
                choices=[
                    ("checkpoint", "Checkpoint"),
                    ("controlnet", "ControlNet"),
                    ("lora", "LoRA"),
                    ("embedding", "Embedding"),
                    ("clip", "CLIP"),
                ],
                default="checkpoint",
                max_length=16,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="prompttemplate",
            name="model",
            field=models.ForeignKey(
                blank=True,
                limit_choices_to={"kind": "checkpoint"},
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="imagepipe.registeredmodel",
                verbose_name="model",
            ),
        ),
    ]
