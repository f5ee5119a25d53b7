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
use Symfony\Component\Mailer\Bridge\Mailgun\Transport\MailgunTransportFactory;
use Symfony\Component\Mailer\Envelope;
use Symfony\Component\Mailer\Exception\TransportExceptionInterface;
use Symfony\Component\Mailer\Header\MetadataHeader;
use Symfony\Component\Mailer\Header\TagHeader;
use Symfony\Component\Mailer\Mailer;
use Symfony\Component\Mailer\Transport\Dsn;
use Symfony\Component\Mailer\Transport\FailoverTransport;
use Symfony\Component\Mailer\Transport\Smtp\EsmtpTransport;
use Symfony\Component\Mime\Address;
use Symfony\Component\Mime\Crypto\DkimSigner;
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

/** The stored copy of the message for a recipient, and its accepted event. */
function stored(string $recipient): array
{
    global $api, $domain;
    [$event] = $api('GET', "/v3/$domain/events?event=accepted&recipient=".urlencode($recipient))['items'];

    return [$event, $api('GET', "/v3/domains/$domain/messages/".$event['storage']['key'])];
}

function mime_of(string $recipient): string
{
    global $client, $url, $key, $domain;
    [$event] = stored($recipient);
    $options = ['auth_basic' => "api:$key", 'headers' => ['Accept' => 'message/rfc2822']];

    return $client->request('GET', "$url/v3/domains/$domain/messages/".$event['storage']['key'], $options)
        ->toArray()['body-mime'];
}

function header_of(array $copy, string $name): ?string
{
    foreach ($copy['message-headers'] as [$header, $value]) {
        if (strtolower($header) === strtolower($name)) {
            return $value;
        }
    }

    return null;
}

/** A message of text alone. */
function plain(string ...$to): Email
{
    global $domain;

    return (new Email())->from("a@$domain")->to(...$to)->subject('Plain')->text('Hi');
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

$http = fn () => $local(new MailgunApiTransport($key, $domain, null, $client));
$mime = fn () => $local(new MailgunHttpTransport($key, $domain, null, $client));
$by = fn ($transport, Email $email, ?Envelope $envelope = null) => (new Mailer($transport))->send($email, $envelope);
/** Each transport and the name that its recipients have. */
$each = ['api' => $http, 'mime' => $mime, 'smtp' => fn () => $smtp('correct-horse')];

$flows = [
    'API transport' => function () use ($by, $http) {
        $by($http(), email('api@example.com'));
        check('api@example.com', 'HTTP');
    },
    'HTTP transport (MIME)' => function () use ($by, $mime) {
        $by($mime(), email('mime@example.com'));
        check('mime@example.com', 'HTTP');
    },
    'SMTP transport' => function () use ($by, $smtp) {
        $by($smtp('correct-horse'), email('smtp@example.com'));
        check('smtp@example.com', 'SMTP');
    },
    'SMTP with STARTTLS' => function () use ($by, $login) {
        $transport = new EsmtpTransport('127.0.0.1', (int) getenv('SMTP_PORT'), false);
        $transport->setUsername($login)->setPassword('correct-horse');
        $transport->getStream()->setStreamOptions(['ssl' => ['cafile' => getenv('SMTP_CERTIFICATE')]]);
        $by($transport, plain('starttls@example.com'));
        [$event] = stored('starttls@example.com');
        expect([$event['method'], $event['envelope']['sender']], ['SMTP', 'a@symfony.example.com']);
    },
    'transports of a DSN' => function () use ($by, $client, $key, $domain, $url) {
        $factory = new MailgunTransportFactory(null, $client);
        foreach (['mailgun', 'mailgun+https', 'mailgun+api'] as $scheme) {
            $dsn = new Dsn($scheme, parse_url($url, PHP_URL_HOST), $key, $domain, parse_url($url, PHP_URL_PORT));
            $name = strtr($scheme, '+', '-');
            $by($factory->create($dsn), plain("dsn-$name@example.com"));
            expect(stored("dsn-$name@example.com")[1]['subject'], 'Plain');
        }
    },
    'each transport: the message ID that it says' => function () use ($each) {
        foreach ($each as $name => $transport) {
            $sent = $transport()->send(plain("id-$name@example.com"));
            [$event] = stored("id-$name@example.com");
            expect(trim($sent->getMessageId(), '<>'), $event['message']['headers']['message-id']);
        }
    },
    'each transport: names and files in Unicode' => function () use ($by, $each) {
        foreach ($each as $name => $transport) {
            $email = plain("unicode-$name@example.com")
                ->to(new Address("unicode-$name@example.com", 'Jörg "JM" Müller'))
                ->subject('Grüße 👋')
                ->text("Zeile eins\n.\n..zwei")
                ->attach('naïve', 'Prüfung ü.txt', 'text/plain');
            $by($transport(), $email);
            [, $copy] = stored("unicode-$name@example.com");
            expect([$copy['subject'], array_column($copy['attachments'], 'name')], ['Grüße 👋', ['Prüfung ü.txt']]);
            expect(preg_split('/\R/', trim($copy['body-plain'])), ['Zeile eins', '.', '..zwei']);
            expect(str_contains($copy['To'], 'Jörg'), true);
        }
    },
    'each transport: several recipients' => function () use ($by, $each) {
        foreach ($each as $name => $transport) {
            $to = array_map(fn ($number) => "many$number-$name@example.com", range(1, 12));
            $by($transport(), plain(...$to));
            foreach ([$to[0], $to[11]] as $one) {
                expect(substr_count(stored($one)[1]['To'], '@'), 12);
            }
        }
    },
    'each transport: priority and own headers' => function () use ($by, $each) {
        foreach ($each as $name => $transport) {
            $email = plain("headers-$name@example.com")->priority(Email::PRIORITY_HIGH);
            $email->getHeaders()->addTextHeader('X-Campaign', 'Größe')->addTextHeader('References', '<before@x.example>');
            $by($transport(), $email);
            [, $copy] = stored("headers-$name@example.com");
            expect(header_of($copy, 'X-Campaign'), 'Größe');
            expect([header_of($copy, 'X-Priority'), header_of($copy, 'References')], ['2 (High)', '<before@x.example>']);
        }
    },
    'each transport: a large file' => function () use ($by, $each) {
        foreach ($each as $name => $transport) {
            $by($transport(), plain("large-$name@example.com")->attach(str_repeat('0123456789', 200000), 'large.bin'));
            [$file] = stored("large-$name@example.com")[1]['attachments'];
            expect($file['size'], 2000000);
        }
    },
    'each transport: HTML alone' => function () use ($by, $each, $domain) {
        foreach ($each as $name => $transport) {
            $email = (new Email())->from("a@$domain")->to("html-$name@example.com")->subject('HTML')->html('<b>Hi</b>');
            $by($transport(), $email);
            expect(trim(stored("html-$name@example.com")[1]['body-html']), '<b>Hi</b>');
        }
    },
    'API transport, several options' => function () use ($by, $http) {
        $email = plain('options@example.com');
        $email->getHeaders()
            ->addTextHeader('o:testmode', 'yes')
            ->addTextHeader('o:tracking-opens', 'no')
            ->addTextHeader('v:plan', 'gold')
            ->addTextHeader('h:X-Own', 'mine');
        $by($http(), $email);
        [$event, $copy] = stored('options@example.com');
        expect([$event['flags']['is-test-mode'], $event['user-variables']], [true, ['plan' => 'gold']]);
        expect(header_of($copy, 'X-Own'), 'mine');
    },
    'API transport, template with variables' => function () use ($by, $http, $api, $domain) {
        $api('POST', "/v3/$domain/templates", ['name' => 'welcome', 'template' => '<p>{{who}}</p>']);
        $email = plain('template@example.com');
        $email->getHeaders()->addTextHeader('template', 'welcome')->addTextHeader('t:variables', '{"who": "Kim"}');
        $by($http(), $email);
        expect(stored('template@example.com')[1]['body-html'], '<p>Kim</p>');
    },
    'API transport, AMP' => function () use ($by, $http) {
        $email = plain('amp@example.com')->html('<p>Hi</p>');
        $email->getHeaders()->addTextHeader('amp-html', '<!doctype html><html amp4email>Hi</html>');
        $by($http(), $email);
        expect(substr_count(mime_of('amp@example.com'), 'Content-Type: text/x-amp-html'), 1);
    },
    'API transport, batch with variables of each' => function () use ($by, $http) {
        $email = plain('b1@example.com', 'b2@example.com')->subject('For %recipient.name%')->text('%recipient.name%');
        $variables = ['b1@example.com' => ['name' => 'Ann'], 'b2@example.com' => ['name' => 'Bob']];
        $email->getHeaders()->addTextHeader('recipient-variables', json_encode($variables));
        $by($http(), $email);
        foreach (['b1@example.com' => 'Ann', 'b2@example.com' => 'Bob'] as $recipient => $name) {
            [, $copy] = stored($recipient);
            expect([$copy['subject'], trim($copy['body-plain']), $copy['To']], ["For $name", $name, $recipient]);
        }
    },
    'MIME with Mailgun headers' => function () use ($by, $mime, $smtp) {
        foreach (['mime' => $mime(), 'smtp' => $smtp('correct-horse')] as $name => $transport) {
            $email = plain("options-$name@example.com");
            $email->getHeaders()->addTextHeader('X-Mailgun-Tag', 'one')->addTextHeader('X-Mailgun-Drop-Message', 'yes');
            $by($transport, $email);
            [$event] = stored("options-$name@example.com");
            expect([$event['tags'], $event['flags']['is-test-mode']], [['one'], true]);
        }
    },
    'MIME with a template' => function () use ($by, $mime, $api, $domain) {
        $api('POST', "/v3/$domain/templates", ['name' => 'mime', 'template' => '<p>{{who}}</p>']);
        $email = plain('template-mime@example.com');
        $email->getHeaders()
            ->addTextHeader('X-Mailgun-Template-Name', 'mime')
            ->addTextHeader('X-Mailgun-Template-Variables', '{"who": "Kim"}');
        $by($mime(), $email);
        expect(stored('template-mime@example.com')[1]['body-html'], '<p>Kim</p>');
    },
    'MIME that is signed by DKIM stays as it is' => function () use ($mime, $domain) {
        openssl_pkey_export(openssl_pkey_new(['private_key_bits' => 1024]), $private);
        $signed = (new DkimSigner($private, $domain, 'own'))->sign(plain('signed@example.com'));
        $mime()->send($signed);
        expect(str_contains(mime_of('signed@example.com'), $signed->getHeaders()->get('DKIM-Signature')->toString()), true);
    },
    'envelope of its own' => function () use ($by, $mime, $smtp) {
        foreach (['mime' => $mime(), 'smtp' => $smtp('correct-horse')] as $name => $transport) {
            $envelope = new Envelope(new Address('bounces@symfony.example.com'), [new Address("real-$name@example.com")]);
            $by($transport, plain('shown@example.com'), $envelope);
            expect(stored("real-$name@example.com")[1]['To'], 'shown@example.com');
        }
        expect(stored('real-smtp@example.com')[0]['envelope']['sender'], 'bounces@symfony.example.com');
    },
    'failover from a wrong key to a right one' => function () use ($by, $local, $domain, $client, $http) {
        $wrong = $local(new MailgunApiTransport('another-key', $domain, null, $client));
        $by(new FailoverTransport([$wrong, $http()]), plain('failover@example.com'));
        expect(stored('failover@example.com')[1]['subject'], 'Plain');
    },
    'API transport, unknown domain' => function () use ($local, $key, $client, $refused) {
        $transport = $local(new MailgunApiTransport($key, 'nowhere.example.com', null, $client));
        $refused(fn () => $transport->send(email('x@example.com')), 'Domain not found: nowhere.example.com (code 404)');
    },
    'API transport, unverified domain' => function () use ($local, $key, $client, $refused, $api) {
        $api('POST', '/v4/domains', ['name' => 'new.example.com']);
        $transport = $local(new MailgunApiTransport($key, 'new.example.com', null, $client));
        $refused(fn () => $transport->send(plain('x@example.com')), 'not allowed to send');
    },
    'API transport, time that is not a date' => function () use ($http, $refused) {
        $email = plain('x@example.com');
        $email->getHeaders()->addTextHeader('o:deliverytime', 'tomorrow');
        $refused(fn () => $http()->send($email), '(code 400)');
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
