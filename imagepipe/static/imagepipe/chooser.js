(function () {
  "use strict";

  const { Controller } = window.StimulusModule;

  /**
   * The Generate tab of the image chooser: every form in it is sent from here, and what the
   * server answers takes the place of what was shown. The last answer names the image, which
   * Wagtail's own chooser then takes over.
   */
  class GenerateController extends Controller {
    static targets = ["content", "message", "choice", "heading", "brief", "autostart"];

    static values = { chosenUrl: String, failed: String };

    /** Wagtail's modal has a heading but no name. */
    connect() {
      const dialog = this.element.closest('[role="dialog"]');
      const heading = dialog && dialog.querySelector("h1, h2");
      const named = dialog && (dialog.hasAttribute("aria-label") || dialog.hasAttribute("aria-labelledby"));
      if (heading && !named) dialog.setAttribute("aria-label", heading.textContent.trim());
    }

    briefTargetConnected(form) {
      const title = form.querySelector('input[name$="-title"]');
      const page = document.getElementById("id_title");
      if (title && !title.value && page) title.value = page.value;
    }

    autostartTargetConnected(form) {
      if (this.begun) return;
      this.begun = true;
      form.requestSubmit();
    }

    async submit(event) {
      const form = event.target;
      event.preventDefault();
      event.stopPropagation();
      if (this.busy) return;
      if (form === this.briefTargets[0]) this.brief = form;
      await this.ask(form.action, { method: "POST", body: new FormData(form, event.submitter) });
    }

    load({ params: { url } }) {
      return this.ask(url, {});
    }

    again({ params: { url } }) {
      if (this.brief) this.replace(this.brief);
      else this.ask(url, {});
    }

    async ask(url, options) {
      this.busy = true;
      this.element.setAttribute("aria-busy", "true");
      this.messageTarget.textContent = "";
      try {
        const response = await fetch(url, {
          credentials: "same-origin",
          headers: { "X-Requested-With": "XMLHttpRequest" },
          ...options,
        });
        const type = response.headers.get("Content-Type") || "";
        if (response.redirected || !(response.ok || response.status === 422)) {
          throw new Error(response.statusText);
        }
        if (type.startsWith("application/json")) this.take(await response.json());
        else this.show(await response.text());
      } catch {
        this.messageTarget.textContent = this.failedValue;
      } finally {
        this.busy = false;
        this.element.removeAttribute("aria-busy");
      }
    }

    take({ image, message }) {
      if (image) this.choose({ params: { image } });
      else this.messageTarget.textContent = message;
    }

    choose({ params: { image } }) {
      this.choiceTarget.href = this.chosenUrlValue.replace("/0/", `/${image}/`);
      this.choiceTarget.click();
    }

    show(html) {
      const template = document.createElement("template");
      template.innerHTML = html;
      this.replace(template.content);
    }

    replace(content) {
      this.contentTarget.replaceChildren(content);
      const wrong = this.contentTarget.querySelector('[aria-invalid="true"]');
      const place = wrong || this.headingTargets[0] || this.contentTarget.querySelector("input:not([type=hidden])");
      if (place) place.focus();
    }
  }

  window.wagtail.app.register("imagepipe-generate", GenerateController);
})();
