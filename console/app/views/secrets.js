/** To come. */
import { html } from "../ui.js";
export const Secrets = () => html`<p>To come</p>`;
