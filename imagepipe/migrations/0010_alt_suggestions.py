from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


def keep_decorative(apps, schema_editor):
    """What publications said of decoration is from now on said by the asset."""
    publications = apps.get_model("imagepipe", "Publication").objects
    assets = apps.get_model("imagepipe", "Asset").objects
    rows = publications.values_list("asset_id", "document").iterator()
    chosen = [key for key, document in rows if (document or {}).get("decorative")]
    for start in range(0, len(chosen), 500):
        assets.filter(pk__in=chosen[start : start + 500]).update(decorative=True)


class Migration(migrations.Migration):
    dependencies = [("imagepipe", "0009_engine")]

    operations = [
        migrations.AddField(
            model_name="asset",
            name="decorative",
            field=models.BooleanField(default=False, verbose_name="decorative"),
        ),
        migrations.AddField(
            model_name="alttext",
            name="generated",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="alttext",
            name="version",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="imagepipe.assetversion",
            ),
        ),
        migrations.CreateModel(
            name="AltSuggestion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("language", models.CharField(max_length=16)),
                ("captioner", models.CharField(max_length=40)),
                ("text", models.CharField(blank=True, max_length=250)),
                ("reason", models.CharField(blank=True, max_length=40)),
                ("words", models.JSONField(default=list)),
                ("is_weak", models.BooleanField(default=False)),
                ("fingerprint", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("taken", "Taken"), ("dismissed", "Dismissed")],
                        default="open",
                        max_length=12,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now=True)),
                (
                    "asset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alt_suggestions",
                        to="imagepipe.asset",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="imagepipe.assetversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "suggested alternative text",
                "verbose_name_plural": "suggested alternative texts",
                "ordering": ["asset_id", "language", "captioner"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("asset", "language", "captioner"), name="imagepipe_alt_suggestion"
                    )
                ],
            },
        ),
        migrations.AlterField(
            model_name="registeredmodel",
            name="kind",
            field=models.CharField(
                choices=[
                    ("checkpoint", "Checkpoint"),
                    ("controlnet", "ControlNet"),
                    ("lora", "LoRA"),
                    ("embedding", "Embedding"),
                    ("clip", "CLIP"),
                    ("captioner", "Captioning model"),
                ],
                default="checkpoint",
                max_length=16,
                verbose_name="kind",
            ),
        ),
        migrations.RunPython(keep_decorative, migrations.RunPython.noop, elidable=True),
    ]
