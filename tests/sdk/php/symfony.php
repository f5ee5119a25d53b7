<?php

// Symfony Mailer sends through its Mailgun bridge: by the API, by MIME over HTTP, and by SMTP.
// ../test_symfony_mailer.py runs it, and says where the simulator is.
error_reporting(E_ALL & ~E_DEPRECATED);
ini_set('display_errors', 'stderr');
require_once 'Symfony/Component/Mailer/autoload.php';
require_once 'Symfony/Component/HttpClient/autoload.php';
require_once 'Symfony/Component/Mailer/Bridge/Mailgun/autoload.php';

use Symfony\Component\HttpClient\DecoratorTrait;
use Symfony\Component\HttpClient\NativeHttpClient;
use Symfony\Component\Mailer\Bridge\Mailgun\Transport\MailgunApiTransport;
use Symfony\Component\Mailer\Bridge\Mailgun\Transport\MailgunHttpTransport;
use Symfony\Component\Mailer\Bridge\Mailgun\Transport\MailgunSmtpTransport;
use Symfony\Component\Mailer\Exception\TransportExceptionInterface;
use Symfony\Component\Mailer\Header\MetadataHeader;
use Symfony\Component\Mailer\Header\TagHeader;
use Symfony\Component\Mailer\Mailer;
use Symfony\Component\Mime\Address;
use Symfony\Component\Mime\Email;
use Symfony\Contracts\HttpClient\HttpClientInterface;
use Symfony\Contracts\HttpClient\ResponseInterface;

$url = getenv('MAILGUN_URL');
$key = getenv('MAILGUN_KEY');
$domain = 'symfony.example.com';
$login = "alice@$domain";

/** The bridge always asks for https; the simulator speaks http. */
final class WithoutTls implements HttpClientInterface
{
    use DecoratorTrait;

    public function request(string $method, string $url, array $options = []): ResponseInterface
    {
        return $this->client->request($method, str_replace('https://', 'http://', $url), $options);
    }
}

$client = new WithoutTls(new NativeHttpClient());
$api = fn (string $method, string $path, array $body = []) => $client
    ->request($method, $url.$path, ['auth_basic' => "api:$key", 'body' => $body])
    ->toArray();

function expect($got, $expected): void
{
    if ($got !== $expected) {
        throw new LogicException(sprintf('got %s, not %s', json_encode($got), json_encode($expected)));
    }
}

function email(string $to): Email
{
    global $domain;
    $email = (new Email())
        ->from(new Address("a@$domain", 'Shop, Ltd.'))
        ->to(new Address($to, 'Kim'))
        ->cc('lee@example.com')
        ->bcc("bcc-$to")
        ->replyTo('help@shop.example')
        ->subject('Grüße')
        ->text('Hi')
        ->html('<p>Hi <img src="cid:dot.png"></p>')
        ->attach('first', 'one.txt', 'text/plain')
        ->embed('dot', 'dot.png', 'image/png');
    $email->getHeaders()->add(new TagHeader('autumn'))->add(new MetadataHeader('order', '42'));

    return $email;
}

function check(string $to, string $method): void
{
    global $api, $domain;
    foreach ([$to, "bcc-$to"] as $recipient) {
        [$event] = $api('GET', "/v3/$domain/events?event=accepted&recipient=$recipient")['items'];
        expect([$event['method'], $event['tags'], $event['user-variables']], [$method, ['autumn'], ['order' => '42']]);
    }
    $copy = $api('GET', "/v3/domains/$domain/messages/".$event['storage']['key']);
    expect([$copy['subject'], trim($copy['body-plain']), $copy['Reply-To']], ['Grüße', 'Hi', 'help@shop.example']);
    expect(str_contains($copy['From'], 'Shop, Ltd.'), true);
    $names = array_column($copy['attachments'], 'name');
    sort($names);
    expect($names, ['dot.png', 'one.txt']);
    expect(str_contains($copy['To'].$copy['Cc'], 'bcc'), false);
}

$local = fn ($transport) => $transport->setHost(parse_url($url, PHP_URL_HOST))->setPort(parse_url($url, PHP_URL_PORT));
$smtp = function (string $password) use ($login): MailgunSmtpTransport {
    $transport = new MailgunSmtpTransport($login, $password);
    $transport->getStream()
        ->setHost('127.0.0.1')
        ->setPort((int) getenv('SMTP_TLS_PORT'))
        ->setStreamOptions(['ssl' => ['cafile' => getenv('SMTP_CERTIFICATE')]]);

    return $transport;
};
$refused = function (callable $send, string $text): void {
    try {
        $send();
    } catch (TransportExceptionInterface $error) {
        expect(str_contains($error->getMessage(), $text), true);

        return;
    }
    throw new LogicException('nothing was refused');
};

$api('POST', '/v4/domains', ['name' => $domain]);
$api('PUT', "/v4/domains/$domain/verify");
$api('POST', "/v3/domains/$domain/credentials", ['login' => $login, 'password' => 'correct-horse']);

$flows = [
    'API transport' => function () use ($local, $key, $domain, $client) {
        (new Mailer($local(new MailgunApiTransport($key, $domain, null, $client))))->send(email('api@example.com'));
        check('api@example.com', 'HTTP');
    },
    'HTTP transport (MIME)' => function () use ($local, $key, $domain, $client) {
        (new Mailer($local(new MailgunHttpTransport($key, $domain, null, $client))))->send(email('mime@example.com'));
        check('mime@example.com', 'HTTP');
    },
    'SMTP transport' => function () use ($smtp) {
        (new Mailer($smtp('correct-horse')))->send(email('smtp@example.com'));
        check('smtp@example.com', 'SMTP');
    },
    'API transport, unknown domain' => function () use ($local, $key, $client, $refused) {
        $transport = $local(new MailgunApiTransport($key, 'nowhere.example.com', null, $client));
        $refused(fn () => $transport->send(email('x@example.com')), 'Domain not found: nowhere.example.com (code 404)');
    },
    'HTTP transport, wrong key' => function () use ($local, $domain, $client, $refused) {
        $transport = $local(new MailgunHttpTransport('another-key', $domain, null, $client));
        $refused(fn () => $transport->send(email('x@example.com')), 'Forbidden (code 401)');
    },
    'SMTP transport, wrong password' => function () use ($smtp, $refused) {
        $refused(fn () => $smtp('wrong')->send(email('x@example.com')), '535');
    },
];

foreach ($flows as $name => $flow) {
    $failed = null;
    try {
        $flow();
    } catch (Throwable $error) {
        $failed = $error->getMessage()."\n".$error->getTraceAsString();
    }
    echo json_encode(['group' => 'sending', 'call' => $name, 'failed' => $failed]), "\n";
}
