/* global document, location, HTMLDetailsElement */
// What makes the page quicker for hands on a keyboard. Without it everything can be read and done as well.
(() => {
  const rows = () => [...document.querySelectorAll('tr[data-row]')];
  let current = ''; // the id of a row: others may come before it

  const find = () => rows().findIndex(({ id }) => id === current && id !== '');
  const go = (step) => {
    const all = rows();
    if (all.length === 0) return;
    all[find()]?.classList.remove('current');
    const row = all[Math.min(Math.max(find() + step, 0), all.length - 1)];
    current = row.id;
    row.classList.add('current');
    row.querySelector('a')?.focus({ preventScroll: true });
    row.scrollIntoView({ block: 'nearest' });
  };

  const keys = {
    '/': () => document.querySelector('input[type=search]')?.focus(),
    j: () => go(1),
    k: () => go(-1),
    x: () => rows()[find()]?.querySelector('input[type=checkbox]')?.click(),
    '?': () => document.getElementById('keys')?.showModal(),
  };

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches('input:not([type=checkbox]), select, textarea') || document.querySelector('dialog[open]'))
      return;
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });

  document.addEventListener('change', (event) => {
    if (event.target.matches('[data-all]')) {
      for (const box of document.querySelectorAll('input[name=id]')) box.checked = event.target.checked;
    }
    if (event.target.matches('[data-submit]')) event.target.form.requestSubmit();
  });

  // The list follows the ledger, but not while rows of it are selected.
  document.addEventListener('htmx:beforeRequest', (event) => {
    if (event.target.id === 'results' && event.target.querySelector('input:checked')) event.preventDefault();
  });
  document.addEventListener('htmx:afterSettle', () => rows()[find()]?.classList.add('current'));

  // One menu at a time, closed by Escape and by a click elsewhere.
  const close = (except) => {
    for (const menu of document.querySelectorAll('details.menu[open]')) if (menu !== except) menu.open = false;
  };
  document.addEventListener('click', (event) => close(event.target.closest('details.menu')));
  document.addEventListener('keyup', (event) => event.key === 'Escape' && close());

  // A link to one action opens it.
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
})();
