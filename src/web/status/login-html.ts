/** The login form for the token. */

export function loginBody(isRefused: boolean): string {
  const error = isRefused ? '<p role="alert" class="failing">This is not the token. Nothing was changed.</p>' : ''
  return `<main class="login">
<h1>Relay status</h1>
${error}
<form method="post" action="/debug/status/login">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button type="submit">Log in</button>
</form>
<p>The token is in the file that the relay was started with (<code>-status-token-file</code>).</p>
</main>`
}
