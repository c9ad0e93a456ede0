"""Spanish: how strongly something is meant, and what is no wish."""

from __future__ import annotations

from berth_intent.intents import STRONG, WEAK
from berth_intent.language.kinds import Kind
from berth_intent.language.lexicon.terms import Terms

WORDS: tuple[Terms, ...] = (
    Terms(
        Kind.NOT,
        "no más; nunca más; no; sin; ni; tampoco; ningun*; ningún; ninguna; no queremos; no quiero; no debería; no deberían; no quisiera; en vez de no; nada de; no puede; no pueden; no se puede; no quier*",
    ),
    Terms(
        Kind.NOT,
        "nunca; jamás; bajo ningún concepto; de ninguna manera; de ningún modo; en ningún caso; bajo ninguna circunstancia; no debe; no deben; no debemos; nunca jamás; no debe*; no tiene que; no podemos; por nada del mundo; ni de broma; terminantemente no; bajo ningún pretexto; en absoluto; ni hablar; nunca deb*; jamás deb*; no ha de; no han de; de ninguna forma",
        strength=STRONG,
    ),
    Terms(
        Kind.NOT,
        "preferiblemente no; preferimos no; prefiero no; mejor no; a ser posible no; si es posible no; idealmente no; preferiría no; preferiríamos no; procura no; intenta no; trata de no; tratar de no; procurar no; intentar no; quizá no; si puede ser no; preferentemente no; intentad no; procurad no",
        strength=WEAK,
    ),
    Terms(
        Kind.NO_NEED,
        "no (necesit*|hace falta|hacen falta|precis*|requier*|import*|es necesari*|son necesari*|es imprescindible tener|es preciso|se necesit*|se requier*|nos import*|me import*|tien* importancia|es relevante|son relevantes|usa|usamos|utiliza|utilizamos|es problema|es un problema|tien* preferencia|ten* preferencia|haría falta|depende|dependemos); sin necesidad; da igual; da lo mismo; dan igual; nos da igual; me da igual; es indiferente; indiferente; indiferentes; irrelevante; irrelevantes; innecesari*; sin preferencia; sin preferencias; ninguna preferencia; sin importar; no importa; qué más da; tanto da; lo mismo da; como quieras; donde quieras; donde sea; en cualquier sitio; en cualquier lugar; en cualquier parte; sobran; no es requisito; no es un requisito; da igual si; no hay preferencia; no hay preferencias; ya no necesit*; funciona sin; funcionan sin; puede vivir sin; tú decides; a tu elección; no es obligatorio tener; no obligatoria; nos es indiferente; me es indiferente; (ninguna|ningún) (preferencia|requisito|necesidad|exigencia); no requerid*; no necesari*",
    ),
    Terms(
        Kind.MODAL,
        "(me|nos) vendría* (bien|genial|de perlas|de lujo|de maravilla|estupendo|fenomenal|al pelo); prefier*; prefer*; preferimos; preferiría; preferiríamos; preferible; preferiblemente; preferentemente; de preferencia; preferencia por; idealmente; ideal; lo ideal; lo ideal sería; ojalá; mejor si; mejor; quizá; quizás; tal vez; acaso; me gustaría; nos gustaría; me encantaría; nos encantaría; gustaría; procur*; intent*; trat* de; si es posible; si se puede; a ser posible; si puede ser; de ser posible; si fuera posible; si fuese posible; en lo posible; en la medida de lo posible; dentro de lo posible; cuando sea posible; siempre que sea posible; si es factible; si cabe; si hubiera; quisiera; quisiéramos; querría; querríamos; agradec*; se agradece*; opcionalmente; opcional; esper*; a poder ser; de poder ser; si puedes; si podéis; si pudieras; posiblemente; convendría; deseable; deseablemente; sería deseable; bienvenid*; levemente; ligera preferencia; una leve preferencia; si acaso; a lo mejor; en el mejor de los casos; puestos a elegir; si se pudiera; pref; sería ideal; vendría bien tener; vendría bien; vendrían bien; si te es posible; lo suyo sería; en un mundo ideal; tendemos a preferir; apetece; igual; molaría; de ser viable; si es viable; no estaría mal; no vendría mal; no vendrían mal; si pudiese ser; suave preferencia",
        "before",
        WEAK,
    ),
    Terms(
        Kind.MODAL,
        "estaría (bien|genial|muy bien|fenomenal|estupendo|perfecto|guay); sería (genial|estupendo|bueno|ideal|bonito|perfecto|mejor|deseable|preferible|fantástico|bienvenid*|fabuloso|un plus|de agradecer|lo ideal|excelente|agradable|lo mejor|magnífico|conveniente|un extra|de ayuda|útil|muy bueno|maravilloso); serían (geniales|bienvenid*|estupend*|ideal*|deseables|preferibles|un plus); si hay; si está disponible; si están disponibles; si lo hay; si la hay; si hay disponible; si hay sitio; si hay hueco; si los hay; si las hay; si es que hay; no es crítico; no es crítica; no es vital; no es esencial; no es imprescindible; no son imprescindibles; no es obligatori*; no son obligatori*; pero no es necesario; pero no es imprescindible; pero no es obligatorio; aunque no es imprescindible; aunque no es obligatorio; aunque no es necesario; aunque no es crítico; aunque no es esencial; pero no imprescindible; aunque no imprescindible; no imprescindible; no crítico; no crítica; no obligatorio; no esencial; si no, no pasa nada; no pasa nada si no; si no no pasa nada; no pasa nada; sin agobios; es opcional; son opcionales; sería un plus; es un plus; no es urgente; si no es mucho pedir; si no es molestia; ayudaría; ayudarían; se agradecería; se agradecerá; se agradece; no es un drama; no hay problema si no; sin problema si no; si no puede ser, nada; pero es negociable; es negociable; sería de agradecer; cuando se pueda; cuando puedas; siempre que se pueda; si quedan; si queda; si lo permite la capacidad; si toca; sin ser crítico; sin ser imprescindible; sin ser obligatorio; pero opcional; aunque opcional; no sería un drama",
        "after",
        WEAK,
    ),
    Terms(
        Kind.MODAL,
        "debe; deben; debemos; debe de; deberá; deberán; tiene que; tienen que; tenemos que; tiene que ser; ha de; han de; hay que; obligatori*; obligad*; imprescindible*; indispensable*; requerid*; requier*; requisito; requisitos; exig*; exigimos; es necesario; es imprescindible; es obligatorio; es crítico; es vital; es esencial; es crucial; es fundamental; fundamental; solo; sólo; solamente; únicamente; exclusivamente; exclusiv* en; estrictamente; crític*; vital; vitales; crucial; cruciales; esencial; esenciales; necesariamente; forzosamente; forzos*; sí o sí; a toda costa; cueste lo que cueste; sin falta; sin excepción; sin excepciones; pase lo que pase; absolutamente; ineludible*; innegociable*; no negociable*; no es negociable; no es opcional; no son opcionales; nada más que; por ley; por obligación legal; por requisito legal; la ley exige; la ley obliga; legal exige; es un requisito; es un must; por fuerza; tajantemente; por cojones; en todo caso; de forma obligatoria; de manera obligatoria; prefiere fuertemente; preferimos fuertemente; fuertemente; firme; insist*; siempre y únicamente; imperativ*; imperios*; preciso que; tendrá que; tendrán que; sin él no funciona; sin ella no funciona; no puede funcionar sin; no funciona sin; no arranca sin; no puede prescindir de; urge",
        "any",
        STRONG,
    ),
    Terms(
        Kind.GOOD,
        "sobra; me sobra; nos sobra; basta y sobra; bien; vale; está bien; están bien; sirve; sirven; nos sirve; nos vale; me vale; me sirve; valen; es suficiente; basta; bastan; estupendo; perfecto; correcto; aceptable; aceptables; va bien; van bien; genial",
    ),
    Terms(
        Kind.FILLER,
        "servicio crítico; carga crítica; aplicación crítica; trabajo crítico; misión crítica; no solo; no sólo; entrenamiento crítico; base de datos crítica; baja latencia; latencia crítica; tiempo real; alta prioridad; baja prioridad; modelo grande; modelo de lenguaje; más tarde; más o menos; no más de; más que nada; a más tardar; trabajo pesado; muchas gracias; mil gracias; una vez; a la vez; de una vez; de vez en cuando; de momento; por ejemplo; sin más; a tiempo; más bien; sobre todo; en general; por defecto; en producción; en particular; en particular los; en realidad; ni más ni menos; cerca de las; lote; lotes; solo lectura; servicios críticos; cargas críticas; proceso crítico; carga de trabajo crítica; pod crítico; un trabajo crítico; a alta velocidad posible",
    ),
    Terms(
        Kind.PAST,
        "subido a; bajado a; aumentado a; elevado a; reducido a; se (entrenó|migró|movió|ejecutó|instaló|compró|subió|bajó|cambió|pasó|usó|probó|midió|creó|borró|apagó|reinició|perdió|llenó); migró; movió; murió; ocurrió; cayó; corrió; subió; compraron; subieron; bajaron; usaron; cayeron; corría; corrían; estaba; estaban; tenía; tenían; había; ayer; anteayer; antes; anteriormente; previamente; la semana pasada; el mes pasado; el año pasado; anoche; hace (un|una|dos|tres|unos|unas|varios|varias|poco|mucho|años|tiempo|meses|días); en el pasado; estaba; estaban; estuv*; era; eran; fue; fueron; corría; corrían; corrió; ejecutaba; usaba; usaban; tenía; tenían; tuvo; tuvimos; había; habían; hubo; falló; fallaron; se cayó; cayó; cayeron; murió; migramos; migró; movimos; movió; se movió; solía; solían; funcionaba; vivía; antigua; antiguo; versión anterior; anterior; anteriores; pasado; pasada; originalmente; inicialmente; históricamente; antiguamente; ya no; hemos; ha sido; han sido; arreglamos; se arregló; corregido; corregida; arreglado; prefería; necesitaba; compramos; actualizó; actualizamos; desplegamos; desplegó; cambiamos; se trasladó; trasladada; trasladado; causó; dio problemas; perdimos; perdió; sufrió; provocó; ha estado; han estado; terminó; migrado; migrada; migraron; recientemente; en 202*",
    ),
    Terms(
        Kind.COMMAND,
        "ignora (todas |todo |) (las |lo |) (instrucciones|reglas|anterior|órdenes); ignora todo; ignora lo anterior; olvida (todo|todas|las instrucciones|lo anterior|tus instrucciones); ignora las; ignora tus; eres ahora; ahora eres; responde (con|solo|únicamente); instrucciones anteriores; instrucciones previas; devuelve (un |el |) json; actúa como; haz caso omiso; sistema :; imprime; escribe; puntúa; asigna a todos; da a cada pod",
    ),
    Terms(
        Kind.NOISE,
        "dicen que; dicen; según (un|una) (compañer*|amig*|proveedor|blog|artículo|periódico|cliente|informe); según (me|nos|parece|dicen|cuentan|leí|leímos|la prensa|el boletín|el rumor); se rumorea; se dice; cuentan que; me contaron; nos contaron; he oído; oí que; mensaje de error; mensajes de error; error :; aviso (del|de|:); chiste; broma",
        payload="hearsay",
    ),
    Terms(
        Kind.NOISE,
        "demasiado (lent*|pequeñ*|car*|poc*|débil*|ruid*|calient*); costos; gastos; colegas; compañeros de; los de (investigación|marketing|ventas|finanzas|sistemas|datos|soporte); el otro equipo; otro equipo; otros equipos; en casa; precios; precio; oferta; ofertas; texto de relleno; relleno; versión; versiones; ticket; incidencia; incidencias; dueño; dueña; propietari*; responsable; contacto; correo; equipo de; equipo; documentación; documentado; panel; paneles; métricas; métrica; alertas; alerta; registro; registros; puerto; puertos; imagen :; fuga; fugas; error; errores; corregir; arreglar; arreglo; parche; reunión; despliegue número; número de réplicas; reinicio; reinicios; reinicia; reiniciar; nocturno; diario; diaria; cada noche; cada hora; cada día; semanal; mensual; lunes; martes; miércoles; jueves; viernes; sábado; domingo; copia de seguridad; copias de seguridad; respaldo; factura; facturas; facturación; presupuesto; coste; costes; costo; clientes; cliente; usuarios; usuario; prueba; pruebas; test; ejemplo; demo; configuración; variable; variables; secreto; contraseña; sesión; sesiones; petición; peticiones; consulta; consultas; tabla; base; nombre; descripción; comentario; autor; revisad*; aprobad*; publicad*; etiqueta; etiquetas; biblioteca; librería; actualiza*; actualizar; página; enlace a; manual; guía; wiki; horario; zona horaria; licencia; contrato; tráfico; migración; gráfico; gráficos; informe; informes; café; cumpleaños; tiempo de; cola; colas; mensajes; código; rama; compilación; construido; construida; pipeline; cuaderno; experimento",
    ),
)
