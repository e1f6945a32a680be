/* Signing in: name and password; the phone stays signed in for a month. */
import * as api from './api.js';
import { html, icon, logo } from './html.js';
import { choose, page } from './page.js';
import { problem } from './parts.js';
import { say } from './words.js';

export function signInView(app, expired = false) {
  let failure = null, name = '';

  return {
    draw: () => ({
      title: say('sign.title'),
      header: null,
      cls: 'plain',
      tab: null,
      body: html`<div class="door">
        <div class="brand">${logo()}<div><h1>${say('product')}</h1><div class="s13 mute">${say('sign.product')}</div></div></div>
        <form data-form="send">
          ${failure ? problem(failure) : expired ? html`<p class="reason">${say('sign.expired')}</p>` : ''}
          <label class="field"><span>${say('sign.username')}</span><input name="username" autocomplete="username" autocapitalize="none" autocorrect="off" required value="${name}"></label>
          <label class="field"><span>${say('sign.password')}</span><span class="with-button"><input name="password" type="password" autocomplete="current-password" required><button type="button" class="eye" data-do="reveal" aria-pressed="false" aria-label="${say('sign.show')}">${icon('eye')}</button></span></label>
          <button class="btn big primary" type="submit">${say('sign.submit')}</button>
        </form>
        <p class="s13 mute">${say('sign.note')}</p>
        <div class="grow"></div>
        <div class="segments" role="group" aria-label="语言 Language">${[['zh', '中'], ['en', 'EN']].map(([language, word]) => html`<button type="button" lang="${language}" aria-pressed="${String(page.language === language)}" data-do="language" data-language="${language}">${word}</button>`)}</div>
      </div>`,
    }),

    actions: {
      async send(form) {
        const { username, password } = Object.fromEntries(new FormData(form));
        name = username;
        form.querySelector('[type=submit]').disabled = true;
        try {
          await api.post('/api/v1/session', { username, password, phone: true }, { quiet: true });
          await app.enter();
        } catch (error) {
          failure = error;
          app.redraw();
          document.querySelector('[name=password]').focus();
        }
      },
      reveal(button) {
        const box = button.previousElementSibling, shown = box.type === 'text';
        box.type = shown ? 'password' : 'text';
        button.setAttribute('aria-pressed', String(!shown));
      },
      language: (button) => choose('language', button.dataset.language),
    },
  };
}
