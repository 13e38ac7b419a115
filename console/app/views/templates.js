/** To come. */
import { html } from "../ui.js";
export const Templates = () => html`<p>To come</p>`;
