package shopify

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the schema is part of the binary
	"fmt"
	"io"
	"sync"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

//go:embed admin_2026-07.graphql.gz
var schemaFile []byte

// schema is Shopify's whole Admin schema 2026-07 without its descriptions,
// loaded once and only when a query comes (about 0.1 s).
var schema = sync.OnceValue(func() *ast.Schema {
	z, err := gzip.NewReader(bytes.NewReader(schemaFile))
	if err != nil {
		panic(fmt.Sprintf("shopify stand-in: the embedded schema can't be opened: %v", err))
	}
	sdl, err := io.ReadAll(z)
	if err != nil {
		panic(fmt.Sprintf("shopify stand-in: the embedded schema can't be read: %v", err))
	}
	return gqlparser.MustLoadSchema(&ast.Source{Name: "admin_2026-07.graphql", Input: string(sdl)})
})

// resolved are the fields the stand-in answers, by type. A query that is valid
// in Shopify but asks for another field is refused before it runs, so that no
// null is ever an accident. Types the stand-in's world never makes (companies,
// payment terms, duties, …) are listed where a query may ask for them; their
// parents answer null or an empty list, which is the truth of this world.
var resolved = map[string]string{
	"QueryRoot": `order orders node nodes location locations inventoryItem inventoryItems inventoryLevel publicApiVersions shop
		product products productVariant productVariants fulfillment fulfillmentOrder fulfillmentOrders currentAppInstallation
		bulkOperation bulkOperations currentBulkOperation webhookSubscription webhookSubscriptions`,
	"Mutation": `inventorySetQuantities inventoryActivate fulfillmentCreate fulfillmentCancel fulfillmentTrackingInfoUpdate
		bulkOperationRunQuery bulkOperationCancel webhookSubscriptionCreate webhookSubscriptionUpdate webhookSubscriptionDelete`,
	"PageInfo":    "hasNextPage hasPreviousPage startCursor endCursor",
	"MoneyBag":    "shopMoney presentmentMoney",
	"MoneyV2":     "amount currencyCode",
	"Attribute":   "key value",
	"OrderApp":    "id name",
	"ApiVersion":  "handle supported displayName",
	"Shop":        "id name myshopifyDomain currencyCode ianaTimezone taxesIncluded plan weightUnit url email contactEmail enabledPresentmentCurrencies",
	"ShopPlan":    "publicDisplayName shopifyPlus partnerDevelopment",
	"Order":       orderFields,
	"LineItem":    lineFields,
	"Customer":    "id legacyResourceId displayName firstName lastName defaultEmailAddress defaultPhoneNumber createdAt updatedAt",
	"TaxLine":     "title rate ratePercentage source channelLiable priceSet",
	"Product":     "id legacyResourceId title handle status vendor productType createdAt updatedAt variants",
	"Fulfillment": "id legacyResourceId name status displayStatus createdAt updatedAt totalQuantity requiresShipping order location trackingInfo fulfillmentLineItems fulfillmentOrders",
	"Refund":      "id legacyResourceId createdAt updatedAt processedAt note totalRefundedSet",

	"CustomerEmailAddress":         "emailAddress",
	"CustomerPhoneNumber":          "phoneNumber",
	"MailingAddress":               "id name firstName lastName company address1 address2 city zip province provinceCode country countryCodeV2 phone",
	"ProductVariant":               "id legacyResourceId sku barcode title displayName price taxable inventoryPolicy inventoryQuantity position createdAt updatedAt product inventoryItem",
	"InventoryItem":                "id legacyResourceId sku tracked requiresShipping createdAt updatedAt variant inventoryLevel inventoryLevels",
	"InventoryLevel":               "id isActive createdAt updatedAt item location quantities",
	"InventoryQuantity":            "id name quantity updatedAt",
	"Location":                     "id legacyResourceId name isActive fulfillsOnlineOrders shipsInventory isFulfillmentService address updatedAt inventoryLevel inventoryLevels",
	"LocationAddress":              "countryCode zip",
	"ShippingLine":                 "id title code source carrierIdentifier custom isRemoved originalPriceSet discountedPriceSet currentDiscountedPriceSet discountAllocations taxLines",
	"OrderTransaction":             "id kind status gateway formattedGateway test manualPaymentGateway processedAt createdAt paymentId amountSet amountRoundingSet parentTransaction errorCode",
	"CashRoundingAdjustment":       "paymentSet refundSet",
	"DiscountAllocation":           "allocatedAmountSet discountApplication",
	"PricingPercentageValue":       "percentage",
	"DiscountApplication":          applicationFields,
	"DiscountCodeApplication":      applicationFields + " code",
	"ManualDiscountApplication":    applicationFields + " title description",
	"AutomaticDiscountApplication": applicationFields + " title",
	"ScriptDiscountApplication":    applicationFields + " title",

	"InventorySetQuantitiesPayload":   "inventoryAdjustmentGroup userErrors",
	"InventorySetQuantitiesUserError": "code field message",
	"InventoryAdjustmentGroup":        "id createdAt reason referenceDocumentUri changes",
	"InventoryChange":                 "name delta quantityAfterChange item location",
	"InventoryActivatePayload":        "inventoryLevel userErrors",
	"UserError":                       "field message",

	"FulfillmentOrder":                     fulfilOrderFields,
	"FulfillmentOrderLineItem":             "id totalQuantity remainingQuantity sku inventoryItemId requiresShipping productTitle variantTitle lineItem",
	"FulfillmentOrderAssignedLocation":     "name countryCode location",
	"FulfillmentOrderSupportedAction":      "action externalUrl",
	"FulfillmentLineItem":                  "id quantity lineItem",
	"FulfillmentHold":                      "id handle reason reasonNotes heldByRequestingApp",
	"DeliveryMethod":                       "id methodType",
	"FulfillmentCreatePayload":             "fulfillment userErrors",
	"FulfillmentCancelPayload":             "fulfillment userErrors",
	"FulfillmentTrackingInfoUpdatePayload": "fulfillment userErrors",

	"AppInstallation":                  "id accessScopes",
	"AccessScope":                      "handle description",
	"WebhookSubscription":              "id legacyResourceId topic uri callbackUrl format filter includeFields metafieldNamespaces name apiVersion createdAt updatedAt",
	"WebhookSubscriptionCreatePayload": "webhookSubscription userErrors",
	"WebhookSubscriptionUpdatePayload": "webhookSubscription userErrors",
	"WebhookSubscriptionDeletePayload": "deletedWebhookSubscriptionId userErrors",
	"BulkOperation":                    "id type status errorCode createdAt completedAt objectCount rootObjectCount fileSize url partialDataUrl query",
	"BulkOperationRunQueryPayload":     "bulkOperation userErrors",
	"BulkOperationCancelPayload":       "bulkOperation userErrors",
	"BulkOperationUserError":           "code field message",

	"Node":                       "id",
	"PurchasingCompany":          "company location contact",
	"Company":                    "id externalId name",
	"CompanyLocation":            "id externalId name taxSettings",
	"CompanyLocationTaxSettings": "taxRegistrationId taxExempt",
	"CompanyContact":             "id customer",
	"PaymentTerms":               "paymentTermsName paymentTermsType dueInDays overdue paymentSchedules",
	"PaymentSchedule":            "id dueAt issuedAt completedAt totalBalance balanceDue",
	"AdditionalFee":              "id name price taxLines",
	"Duty":                       "id price taxLines",
	"LineItemGroup":              "id title quantity variantSku",
	"FulfillmentTrackingInfo":    "company number url",
}

const (
	applicationFields = "index allocationMethod targetType targetSelection value"

	orderFields = `id legacyResourceId name number confirmationNumber sourceName sourceIdentifier poNumber test confirmed edited closed
		createdAt updatedAt processedAt cancelledAt cancelReason closedAt
		currencyCode presentmentCurrencyCode taxesIncluded taxExempt estimatedTaxes dutiesIncluded
		displayFinancialStatus displayFulfillmentStatus returnStatus email phone note tags customAttributes
		app retailLocation customer purchasingEntity paymentTerms billingAddress shippingAddress
		originalTotalPriceSet totalPriceSet subtotalPriceSet totalTaxSet totalDiscountsSet totalShippingPriceSet
		currentSubtotalPriceSet currentTotalDiscountsSet currentTotalTaxSet currentTotalDutiesSet
		currentTotalAdditionalFeesSet currentShippingPriceSet currentTotalPriceSet totalTipReceivedSet totalReceivedSet
		totalRefundedSet netPaymentSet totalOutstandingSet refundDiscrepancySet totalCashRoundingAdjustment
		additionalFees taxLines currentTaxLines discountApplications lineItems shippingLines transactions refunds fulfillments
		paymentGatewayNames fulfillmentOrders`

	fulfilOrderFields = `id status requestStatus createdAt updatedAt fulfillAt fulfillBy orderId orderName orderProcessedAt order
		supportedActions fulfillmentHolds deliveryMethod assignedLocation lineItems fulfillments`

	lineFields = `id sku name title variantTitle vendor isGiftCard taxable requiresShipping
		quantity currentQuantity unfulfilledQuantity refundableQuantity nonFulfillableQuantity
		product variant lineItemGroup customAttributes originalUnitPriceSet originalTotalSet totalDiscountSet
		discountAllocations taxLines duties`
)
